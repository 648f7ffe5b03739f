"""The JSON Schema agrees with what `check` takes and refuses, as far as a schema can."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from collector.written.document import read_document
from pipeline.config.models import Part
from pipeline.config.schema import schema
from pipeline.config.shape import PARTS
from tests import needs

MISTAKES = Path(__file__).parent / "mistakes"
SEEN_BY_THE_SCHEMA = (
    "unknown-key", "misspelt-key", "misspelt-section", "version-missing", "version-unknown", "services-missing",
    "prefix-missing", "prefix-and-prefixes", "service-without-regions", "role-unknown", "mode-unknown",
    "nva-count-zero",
    "prepend-too-large", "asn-wrong", "address-missing", "routers-missing", "exporter-without-addresses", "bool-wrong",
    "hold-time-too-short", "hold-time-with-unit", "kind-unknown", "duration-without-unit", "receiver-url-wrong",
    "receiver-without-url", "receiver-severity-unknown", "window-without-end", "size-wrong", "limit-wrong",
    "list-not-a-mapping", "mapping-not-a-list", "section-null", "tiers-not-nested", "as-path-too-long", "name-wrong",
    "vantage-rung-unknown", "vantage-rib-unknown", "threshold-too-large", "nvas-not-names",
)  # fmt: skip


def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def test_it_is_a_valid_schema_and_plain_json() -> None:
    Draft202012Validator.check_schema(schema())
    assert json.loads(json.dumps(schema())) == schema()


INTENTS = [file for file in (needs.ROOT / "examples").glob("*.yaml") if "\ncatchment: 1" in "\n" + file.read_text()]


@pytest.mark.parametrize(
    "file",
    [*INTENTS, MISTAKES / "healthy.yaml", *MISTAKES.glob("lint-*.yaml")],
    ids=lambda file: file.stem,
)
def test_what_check_takes_validates(file: Path) -> None:
    assert [error.message for error in validator().iter_errors(read_document(file.read_bytes()).tree)] == []


@pytest.mark.parametrize("name", SEEN_BY_THE_SCHEMA)
def test_a_mistake_of_shape_does_not_validate(name: str) -> None:
    tree = read_document((MISTAKES / f"{name}.yaml").read_bytes()).tree
    assert list(validator().iter_errors(tree))


def test_every_part_of_the_file_has_its_path_in_the_table() -> None:
    assert set(PARTS.values()) == set(Part.__subclasses__())
