"""Answers by somebody who is not who they should be: forged, replayed, or of a region or NVA that does not exist."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from anycast.intent import Intent
from anycast.probe import Identity, Outcome, ProbeResult, Proof

KEPT: Final = 64
SPAN: Final = 10.0  # seconds for which an invalid answer is told


@dataclass(frozen=True, slots=True)
class Stranger:
    """Who answered so. `since` is seconds since 1970."""

    since: float
    count: int
    claims: str
    """Whose identity it gave; empty where none could be read."""
    why: str


def unknown(intent: Intent, identity: Identity | None, proof: Proof) -> str:
    """Say why an identity that was read is nobody's in the intent; empty when it is somebody's, or none was read.

    Parts that are not given are not judged.
    """
    if identity is None or proof is Proof.NONE or not identity.region:
        return ""
    region = intent.by_region.get(identity.region)
    if region is None:
        return f"there is no region {identity.region!r}"
    if identity.nva and all(nva.name != identity.nva for nva in region.nvas):
        return f"there is no NVA {identity.nva!r} in {identity.region}"
    return ""


class Strangers:
    """Invalid answers that one site got for one service."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, str, str]] = deque(maxlen=KEPT)
        self._since: float | None = None

    def take(self, at: float, result: ProbeResult, why: str = "") -> None:
        """Fold in one answer that is invalid, by its outcome or for the reason given."""
        assert result.outcome is Outcome.INVALID or why
        if not self._kept or at - self._kept[-1][0] > SPAN:
            self._since = at
        self._kept.append((at, _claims(result.identity), why or result.detail[:160] or "no reason given"))

    def found(self, now: float) -> Stranger | None:
        """Return what was invalid within the last seconds; the commonest claim and reason."""
        if self._since is None or now - self._kept[-1][0] > SPAN:
            return None
        kept = [(claims, why) for at, claims, why in self._kept if now - at <= SPAN]
        claims, why = max(sorted(set(kept)), key=kept.count)
        return Stranger(self._since, len(kept), claims, why)


def _claims(identity: Identity | None) -> str:
    if identity is None:
        return ""
    return " ".join(part for part in (identity.region, identity.nva, identity.instance) if part)[:120]
