"""What is said of a server of time series that does not take points, and of one that does."""

from datetime import timedelta

import pytest

from analyzers.sinks import FORGOTTEN, REFUSED, sink_failing
from anycast.finding import Finding, Severity
from anycast.sink import SinkState, SinkStatus
from tests.analyzers.network import Network
from tests.analyzers.sinks import SINCE, sink

NOW = SINCE + timedelta(minutes=1)


def found(*sinks: SinkStatus) -> list[Finding]:
    network = Network()
    network.view.sinks = sinks
    return list(sink_failing(network.view, network.intent, NOW))


def test_of_one_that_delivers_nothing_is_said() -> None:
    assert found() == []
    assert found(sink(delivered=5, quarantined=3, refused_at=NOW - REFUSED)) == []
    assert found(sink(forgotten=3, forgotten_at=NOW - FORGOTTEN)) == []


@pytest.mark.parametrize(
    ("status", "severity", "said"),
    [
        (sink(SinkState.WAITING), Severity.WARNING, "the server is away"),
        (sink(SinkState.HOLDING), Severity.MAJOR, "does not take them until somebody mends that"),
        (sink(quarantined=1, refused_at=NOW), Severity.WARNING, "refused points, which are in quarantine"),
        (sink(forgotten=1, forgotten_at=NOW), Severity.MAJOR, "retention took points before they were delivered"),
        (sink(SinkState.HOLDING, refused_at=NOW), Severity.MAJOR, "until somebody mends that"),
    ],
)
def test_what_fails_is_said_with_the_servers_own_words(status: SinkStatus, severity: Severity, said: str) -> None:
    status = sink(status.state, **{name: getattr(status, name) for name in ("quarantined", "refused_at", "forgotten")},
                  forgotten_at=status.forgotten_at, last_error="401: unauthorized", last_error_at=NOW)  # fmt: skip
    [finding] = found(status)
    assert (finding.key, finding.severity) == ("sink-failing|detail=main", severity)
    assert said in finding.summary
    assert ("it said", "401: unauthorized") in finding.evidence
    assert ("server", "https://influx.example.com:8086, bucket net") in finding.evidence


def test_each_server_has_a_finding_of_its_own() -> None:
    two = found(sink(SinkState.WAITING), sink(SinkState.HOLDING, name="second"), sink(name="third"))
    assert [finding.subject.detail for finding in two] == ["main", "second"]
