"""Figures of a proof, and what they must be."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """One figure of a proof and its bound."""

    what: str
    value: float
    at_most: float | None = None
    exactly: float | None = None
    at_least: float | None = None
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure is within its bound."""
        if self.exactly is not None:
            return self.value == self.exactly
        if self.at_least is not None and self.value < self.at_least:
            return False
        return self.at_most is None or self.value <= self.at_most

    def __str__(self) -> str:
        words = [
            f"exactly {self.exactly:g}" if self.exactly is not None else "",
            f"at most {self.at_most:g}" if self.at_most is not None else "",
            f"at least {self.at_least:g}" if self.at_least is not None else "",
        ]
        bound = ", ".join(word for word in words if word)
        unit = f" {self.unit}" if self.unit else ""
        return f"{'met   ' if self.met else 'MISSED'} {self.what}: {self.value:g}{unit} (target: {bound}{unit})"


@dataclass(frozen=True)
class Proven:
    """What a proof found."""

    seed: int
    figures: dict[str, Any]
    targets: tuple[Target, ...]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float], name: str) -> dict[str, float]:
    """Return median, 99th percentile and largest of seconds as milliseconds, each under a name of its own."""
    shares = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    return {f"{name}_{label}_ms": round(percentile(values, share) * 1000, 2) for label, share in shares}


def load() -> float:
    """Return the load average of the last minute: others may use this machine, too."""
    return round(os.getloadavg()[0], 2)
