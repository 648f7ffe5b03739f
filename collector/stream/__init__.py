"""Files of BMP and MRT as a stream: the Python API, for people who know pybgpstream.

    for elem in catchment_stream("updates.mrt.gz", filter="prefix more 10.0.0.0/8 and peer 65010"):
        print(elem.time, elem.peer_asn, elem.fields["prefix"])

And as columns: `catchment_batches` yields Arrow record batches.
"""

from typing import TYPE_CHECKING, Any

from collector.stream.elem import BGPElem
from collector.stream.filters import Filter, parse_filter
from collector.stream.stream import Stream, catchment_stream
from collector.stream.terms import FilterError

if TYPE_CHECKING:
    from collector.stream.batches import Batches, catchment_batches

__all__ = [
    "BGPElem",
    "Batches",
    "Filter",
    "FilterError",
    "Stream",
    "catchment_batches",
    "catchment_stream",
    "parse_filter",
]


def __getattr__(name: str) -> Any:
    """Load Arrow and compiled code when somebody asks for batches, and not before."""
    if name not in ("Batches", "catchment_batches"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from collector.stream import batches

    return getattr(batches, name)
