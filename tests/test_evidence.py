import json
from pathlib import Path

from tests.evidence import wrong_figures


def _tree(root: Path, text: str, figures: dict[str, object]) -> Path:
    (root / "docs" / "evidence").mkdir(parents=True)
    (root / "README.md").write_text(text)
    head = {"commit": "abc", "seed": 1, "machine": "m", "date": "2026-01-01"}
    (root / "docs" / "evidence" / "withdraw.json").write_text(json.dumps({**head, "figures": figures}))
    return root


def test_a_figure_that_its_evidence_holds_is_right(tmp_path: Path) -> None:
    root = _tree(tmp_path, "pending in [12.3 ms](docs/evidence/withdraw.json#p99.ms)", {"p99": {"ms": 12.34}})
    assert wrong_figures(root) == []


def test_a_figure_that_differs_from_its_evidence_is_named(tmp_path: Path) -> None:
    root = _tree(tmp_path, "pending in [11 ms](docs/evidence/withdraw.json#p99.ms)", {"p99": {"ms": 12.34}})
    assert wrong_figures(root) == ["README.md: '11 ms' is quoted, but withdraw.json#p99.ms says 12.34"]


def test_a_figure_without_evidence_is_named(tmp_path: Path) -> None:
    root = _tree(tmp_path, "pending in [11 ms](docs/evidence/other.json#p99)", {"p99": 1})
    assert wrong_figures(root) == ["README.md: '11 ms' has no evidence: docs/evidence/other.json holds no p99"]


def test_evidence_names_its_commit_seed_machine_and_date(tmp_path: Path) -> None:
    root = _tree(tmp_path, "", {})
    (root / "docs" / "evidence" / "bare.json").write_text('{"figures": {}, "seed": 1}')
    assert wrong_figures(root) == ["docs/evidence/bare.json: lacks commit, machine, date"]
