"""What each kind of finding means. `docs/findings.md` and the runbook index are made from these tables."""

from collections.abc import Mapping
from types import MappingProxyType

from anycast.about import About
from anycast.finding import Kind
from anycast.kinds_own import OWN
from anycast.kinds_probed import PROBED
from anycast.kinds_routed import ROUTED

__all__ = ["KINDS", "About"]

KINDS: Mapping[Kind, About] = MappingProxyType({**ROUTED, **PROBED, **OWN})
