"""Reads the PromQL that dashboards write, down to its last token: what it does not understand, it refuses."""

import re

from tests.dashboards.grafana.names import Names, Unknown, Unread, by_metric

_WINDOW = r"\[(?:\$__interval|\$__rate_interval|\$__range|\d+[smhd])\]"
_MATCHER = r'[a-z_]+(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*"'
_QUERY = re.compile(
    r"(?:max|min|avg|sum)(?: by \((?P<by>[a-z_]+(?:, [a-z_]+)*)\) )?"
    r"\((?:(?:last|max|min|avg|sum|count)_over_time|rate)\("
    rf"(?P<metric>[a-z_0-9]+)(?:\{{(?P<matchers>{_MATCHER}(?:, {_MATCHER})*)\}})?{_WINDOW}\)\)(?: > \d+)?"
)
_VALUES = re.compile(r"label_values\((?P<metric>[a-z_0-9]+), (?P<by>[a-z_]+)\)")


def names(query: str) -> Names:
    """What a query names. Raises Unread, and Unknown where its metric is none of ours."""
    found = (_VALUES if query.startswith("label_values") else _QUERY).fullmatch(query)
    if found is None:
        raise Unread(f"not PromQL as we write it: {query}")
    metric = found["metric"]
    if metric not in by_metric():
        raise Unknown(f"nobody writes {metric}")
    measurement, field = by_metric()[metric]
    matched = re.findall(_MATCHER, found.groupdict().get("matchers") or "")
    tags = {re.split(r"=~|!~|!=|=", each)[0] for each in matched} | set((found["by"] or "").split(", ")) - {""}
    return Names(measurement, {field}, tags)
