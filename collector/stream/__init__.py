"""Files of BMP and MRT as a stream: the Python API, for people who know pybgpstream.

for elem in catchment_stream("updates.mrt.gz", filter="prefix more 10.0.0.0/8 and peer 65010"):
    print(elem.time, elem.peer_asn, elem.fields["prefix"])
"""

from collector.stream.elem import BGPElem
from collector.stream.filters import Filter, parse_filter
from collector.stream.stream import Stream, catchment_stream
from collector.stream.terms import FilterError

__all__ = ["BGPElem", "Filter", "FilterError", "Stream", "catchment_stream", "parse_filter"]
