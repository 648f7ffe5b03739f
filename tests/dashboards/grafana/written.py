"""Writes the list in docs/dashboards.md: `python -m tests.dashboards.grafana.written`."""

from dashboards.grafana.document import document
from tests.needs import ROOT

DOCUMENT = ROOT / "docs" / "dashboards.md"


def main() -> None:
    """Write it."""
    DOCUMENT.write_text(document(DOCUMENT.read_text()))


if __name__ == "__main__":
    main()
