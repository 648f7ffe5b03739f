"""Kinds of findings about Catchment itself."""

from collections.abc import Mapping
from types import MappingProxyType

from anycast.about import About, held
from anycast.finding import Kind, Severity

OWN: Mapping[Kind, About] = MappingProxyType(
    {
        Kind.SINK_FAILING: About(
            Severity.WARNING,
            held(60, 5),
            (),
            "A server that time series are written to does not take them: it is away (warning), it does not let us in "
            "or does not know where to write (major), or it refused single points within the last ten minutes, which "
            "are in quarantine (warning). What it has not taken waits in the journal; when retention took some of it "
            "before it was delivered, within the last hour, that is major. The subject names the server.",
            "Read the server's own words in the evidence and in `catchment influx status`; nothing is lost while "
            "`storage.points` holds what waits.",
            "a server that restarts is back within the minute, and gets all of it",
        ),
    }
)
"""Each kind and what it means."""
