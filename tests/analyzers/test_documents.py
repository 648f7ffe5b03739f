"""Every kind is documented, and the documents are those that the code makes."""

from datetime import timedelta

import pytest

from analyzers.document import SOURCES, document
from analyzers.judge import ANALYZERS
from anycast.finding import Kind, Severity
from anycast.intent import Thresholds
from anycast.kinds import KINDS
from anycast.kinds_own import OWN
from tests.needs import ROOT

DOCS = ROOT / "docs"
PARTS = ("Symptom", "What it means", "How to confirm", "Likely causes, in order", "What to do", "What it is not")


def test_the_page_of_findings_is_what_the_table_says() -> None:
    assert (DOCS / "findings.md").read_text() == document(), "python -m analyzers.document > docs/findings.md"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_row_its_heading_its_analyzer_and_its_runbook(kind: Kind) -> None:
    about = KINDS[kind]
    assert about.meaning
    assert about.action
    assert about.held
    assert bool(about.rungs) is (kind not in OWN)
    assert f"\n## {kind}\n" in document()
    assert str(kind).replace("-", "_") in {getattr(analyzer, "__name__", "") for analyzer in ANALYZERS}
    book = (DOCS / "runbooks" / f"{kind}.md").read_text()
    assert book.startswith(f"# {kind}\n")
    assert [part for part in PARTS if f"\n## {part}\n" not in book] == []
    assert "```sh" in book


def test_no_runbook_is_left_of_a_kind_that_is_gone() -> None:
    assert {path.stem for path in (DOCS / "runbooks").glob("*.md")} == {str(kind) for kind in Kind}


def test_hold_downs_are_those_agreed() -> None:
    def opens(kind: Kind) -> timedelta:
        return KINDS[kind].hold_down.open

    assert all(opens(kind) == timedelta(0) for kind in Kind if kind.startswith("unexpected-"))
    assert opens(Kind.MORE_SPECIFIC) == timedelta(0)
    assert opens(Kind.MISSING) == opens(Kind.MISSING_EVERYWHERE) == timedelta(seconds=2)
    assert opens(Kind.BLIND) == opens(Kind.SESSION_DOWN) == timedelta(seconds=5)
    assert {kind for kind in Kind if KINDS[kind].severity is Severity.CRITICAL} == {
        Kind.MISSING_EVERYWHERE,
        Kind.UNEXPECTED_ORIGIN,
        Kind.UNEXPECTED_REGION,
        Kind.MORE_SPECIFIC,
        Kind.CASCADE,
        Kind.BLACKHOLE,
        Kind.DEAD_LEG,
        Kind.UNREACHABLE,
        Kind.IDENTITY_INVALID,
    }


def test_every_threshold_says_where_it_comes_from() -> None:
    assert set(SOURCES) == set(Thresholds.__slots__)
