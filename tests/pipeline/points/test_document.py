"""The page of time series is what the contract, the configuration and the code say."""

import re
from datetime import UTC, datetime

from anycast.series import MEASUREMENTS
from pipeline.config.models import InfluxPart
from pipeline.config.shape import key_names
from pipeline.points.document import MARK, document
from store.influx.answer import Verdict, answered
from store.influx.where import ServerKind
from tests.needs import ROOT

PAGE = (ROOT / "docs" / "timeseries.md").read_text()


def test_the_list_of_series_is_made_from_the_contract() -> None:
    assert PAGE[PAGE.index(MARK) :] == document(), "python -m pipeline.points.document prints it"


def test_every_measurement_and_every_field_has_its_line() -> None:
    for name, kind in MEASUREMENTS.items():
        section = document().split(f"### {name}\n")[1].split("###")[0]
        assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == list(kind.fields)
        assert all(f"`{tag}`" in section for tag in kind.tags)


def test_every_key_and_every_kind_of_server_is_on_the_page() -> None:
    written = PAGE[: PAGE.index(MARK)]
    assert [key for key in key_names(InfluxPart) if f"`{key}" not in written] == []
    assert [kind for kind in ServerKind if f"`{kind}`" not in written] == []


def test_what_the_page_says_of_answers_is_what_is_done() -> None:
    table = PAGE.split("| the server |")[1].split("\n\n")[0]
    said = {
        Verdict.TAKEN: "goes on", Verdict.REFUSED: "quarantine", Verdict.LARGE: "halves", Verdict.HELD: "holds",
        Verdict.LATER: "asks for a pause", Verdict.AGAIN: "tries again after",
    }  # fmt: skip
    for row in table.splitlines()[2:]:
        for status in map(int, re.findall(r"`(\d{3})`", row)):
            if status != 503 or "Retry-After" in row:
                verdict = answered(status, {}, b"", datetime.now(UTC)).verdict
                assert said[verdict] in row, (status, verdict)
