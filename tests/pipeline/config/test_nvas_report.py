"""NVAs that report of hosts: let in by tokens of their own, under their own names."""

from pathlib import Path

import pytest

from pipeline.config import check, load
from tests import needs

MINIMAL = (needs.ROOT / "examples" / "minimal.yaml").read_text()
LISTENS = "listen: {agents: '127.0.0.1:8471'}\nagents: {certificate: c.pem, key: k.pem}\n"
REPORTS = MINIMAL.replace(
    "{address: 10.10.1.4, asn: 65010}", "{address: 10.10.1.4, asn: 65010, agent: {token_file: t}}"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name in ("c.pem", "k.pem", "t"):
        (tmp_path / name).touch(mode=0o600)
    return tmp_path / "catchment.yaml"


def said(file: Path, text: str) -> list[str]:
    file.write_text(text)
    return [problem.message for problem in check(file)]


def test_an_nva_is_let_in_by_a_token_of_its_own(file: Path) -> None:
    assert said(file, REPORTS + LISTENS) == said(file, MINIMAL)
    file.write_text(REPORTS + LISTENS)
    config = load(file)
    assert config.agents is not None
    assert dict(config.agents.tokens) == {"weu-nva1": file.parent / "t"}


def test_an_nva_with_nowhere_to_report_to_is_told(file: Path) -> None:
    assert any("has nowhere to report to" in message for message in said(file, REPORTS))


def test_an_nva_does_not_report_under_the_name_of_a_site(file: Path) -> None:
    text = REPORTS.replace("weu-nva1", "ams") + LISTENS
    assert any("reports under the name of the site ams" in message for message in said(file, text))


def test_a_token_that_is_not_there_is_told_with_what_makes_it(file: Path) -> None:
    (file.parent / "t").unlink()
    assert "t is not there; `catchment agents enrol weu-nva1` makes it" in said(file, REPORTS + LISTENS)
