"""Tables that fold into small blocks where the page is narrow."""

from collections.abc import Sequence

from dashboards.console.markup import join, tag, text


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are HTML already, heads are text."""
    head = tag("thead", "", tag("tr", "", join(tag("th", "", text(each)) for each in heads)))
    return tag("table", "plain folds", head + tag("tbody", "", join(_row(heads, row) for row in rows)))


def _row(heads: Sequence[str], row: Sequence[str]) -> str:
    cells = zip(heads, row, strict=True)
    return tag("tr", "", join(tag("td", "", tag("span", "", cell), data_head=head) for head, cell in cells))
