"""Variables and macros of a query, filled in as Grafana fills them in before it asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ALL = ".*"
"""What each variable stands for while all of it is chosen (`allValue`)."""
_LEFT = re.compile(r"\$(?!/)")


@dataclass(frozen=True, slots=True)
class Range:
    """What is looked at, in seconds since the epoch."""

    start: int
    end: int
    step: int = 10
    """The bucket that Grafana reckons from the width of a panel, or the panel's least."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What is chosen; all of it where nothing is said."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def pattern(self, name: str) -> str:
        """A regular expression for what is chosen, with Grafana's escapes."""
        chosen = self.values.get(name)
        return (
            ALL
            if chosen is None
            else "(" + "|".join(re.sub(r"([\\^$*+?.()|\[\]{}/])", r"\\\1", v) for v in chosen) + ")"
        )


def influxql(query: str, over: Range, chosen: Selected | None = None) -> str:
    """As the data source `influxdb` does."""
    chosen = chosen or Selected()
    text = re.sub(r"\$\{([a-z]+):regex\}", lambda found: chosen.pattern(found[1]), query)
    text = text.replace("$timeFilter", f"time >= {over.start}000ms and time <= {over.end}000ms")
    text = text.replace("$__interval", f"{over.step}s").replace("${__to}", f"{over.end}000")
    return _whole(text)


def promql(query: str, over: Range, chosen: Selected | None = None, every: int = 10) -> str:
    """As the data source `prometheus` does; `every` is its interval of samples (`timeInterval`), in seconds."""
    chosen = chosen or Selected()
    text = query.replace("$__interval", f"{over.step}s").replace(
        "$__rate_interval", f"{max(4 * every, over.step + every)}s"
    )
    text = text.replace("$__range", f"{over.end - over.start}s")
    text = re.sub(r'"\$([a-z]+)"', lambda found: '"' + chosen.pattern(found[1]).replace("\\", "\\\\") + '"', text)
    return _whole(text)


def length(interval: str, window: str = "1m") -> int:
    """Seconds of a panel's least interval."""
    amount, unit = re.fullmatch(r"(\d+)([smh])", window if interval == "$window" else interval).groups()  # type: ignore[union-attr]
    return int(amount) * {"s": 1, "m": 60, "h": 3600}[unit]


def _whole(text: str) -> str:
    assert not _LEFT.search(text.replace("$/", "")), f"something was not filled in: {text}"
    return text
