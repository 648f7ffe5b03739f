"""What an intent file says of servers of time series, and what is wrong with that."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from collector.written.document import read_document
from pipeline.config import Weight, check, load
from pipeline.config.schema import schema
from pipeline.reloading import waiting
from store.influx.where import ServerKind, Where
from tests.pipeline.config.test_mistakes import FOLDER

HEALTHY = (FOLDER / "healthy.yaml").read_text()
URL = "https://influx.example.com:8086"


@pytest.fixture
def intent(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("secret-of-the-server\n")
    os.chmod(tmp_path / "token", 0o600)
    return tmp_path / "catchment.yaml"


def written(path: Path, more: str) -> Path:
    path.write_text(HEALTHY.replace("catchment: 1\n", f"catchment: 1\n{more}\n"))
    return path


def test_one_server_alone_with_what_is_usual(intent: Path) -> None:
    config = load(written(intent, f"influx: {{url: {URL}/, token_file: ./token, org: ops}}"))
    assert config.lints == ()
    assert config.influx is not None
    assert (config.influx.every, config.influx.series_cap) == (timedelta(seconds=10), 20_000)
    assert config.influx.servers == (Where("main", URL, intent.parent / "token", "ops"),)
    assert (config.storage.points.keep.days, config.storage.points.quota) == (7, 2_000_000_000)


def test_several_servers_and_all_that_may_be_said_of_one(intent: Path) -> None:
    config = load(
        written(
            intent,
            f"""
influx:
  - {{name: first, url: {URL}, token_file: token, every: 5s, series_cap: 100, batch: 500, octets: 1MB, gzip: false}}
  - {{name: second, url: "http://127.0.0.1:8428", kind: victoria-metrics, timeout: 2s, max_age: 30d, every: 5s}}
  - {{name: third, url: "http://[::1]:8086/api/v2/write", kind: influxdb-1, bucket: net/week, ca_file: ./token}}
storage: {{points: {{keep: 2d, quota: 500MB}}}}
""",
        )
    )
    assert config.influx is not None
    first, second, third = config.influx.servers
    assert (config.influx.every.seconds, config.influx.series_cap) == (5, 100)
    assert (first.lines, first.octets, first.gzip) == (500, 1_000_000, False)
    assert (second.kind, second.timeout.seconds, second.max_age) == (
        ServerKind.VICTORIA_METRICS, 2, timedelta(days=30),
    )  # fmt: skip
    assert (third.url, third.bucket, third.ca_file) == ("http://[::1]:8086", "net/week", intent.parent / "token")
    assert (config.storage.points.keep.days, config.storage.points.quota) == (2, 500_000_000)


def test_without_a_word_of_it_nothing_is_written(intent: Path) -> None:
    assert load(written(intent, "")).influx is None


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("influx: {token_file: token}", "influx: needs `url`; write where the server listens, such as https://"),
        ("influx: {url: influx.example.com}", "influx.url: 'influx.example.com' is not a URL such as https://influx."),
        ("influx: {url: 'https://me:pw@influx'}", "has a password in it; write that into a file, and name the file"),
        ("influx: {url: 'https://influx?org=me'}", "org and bucket have keys of their own"),
        ("influx: {url: 'http://influx:8086'}", "would send the token in the clear to influx; use https, or allow it"),
        (f"influx: {{url: {URL}, tokne: x}}", "influx.tokne: is no key that is known here"),
        (f"influx: {{url: {URL}, token_fil: x}}", "did you mean token_file?"),
        (
            f"influx: {{url: {URL}, kind: influxdb-3}}",
            "'influxdb-3' is no kind of server; it is influxdb, influxdb-1",
        ),
        (f"influx: {{url: {URL}, batch: 0}}", "influx.batch: 0 is too small; write 1 or more"),
        (f"influx: {{url: {URL}, timeout: 5m}}", "is no time to wait for an answer; write 100ms to 2m"),
        (f"influx: {{url: {URL}, every: 100ms}}", "is no time between samples; write 1s to 5m"),
        (f"influx: {{url: {URL}, every: 1.5s}}", "is no whole number of seconds; write 10s"),
        (f"influx: [{{url: {URL}}}, {{url: {URL}}}]", "two servers are called main; give each a name of its own"),
        (
            f"influx: [{{url: {URL}}}, {{name: b, url: {URL}, every: 5s}}]",
            "points are made once, for all servers; write `every` at the first, or the same there",
        ),
        ("influx: 5", "5 is not right here; write a list in brackets"),
        ("storage: {points: {keep: 7}}", "7 has no unit; write 7s for seconds, or m, h or d"),
    ],
)
def test_a_mistake_is_named(intent: Path, more: str, expected: str) -> None:
    problems = check(written(intent, more))
    assert [each for each in problems if each.severity is Weight.ERROR], problems
    assert any(expected in str(each) for each in problems), [str(each) for each in problems]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (f"influx: {{url: {URL}, token_file: gone}}", "gone is not there; write it before Catchment runs"),
        ("influx: {url: 'http://influx:8086', plain_http: true}", "sends the token in the clear to influx"),
        (
            f"influx: {{url: {URL}}}\nstorage: {{routes: 3d}}",
            "is longer than `storage.routes`, after which a whole",
        ),
    ],
)
def test_a_doubt_is_named(intent: Path, more: str, expected: str) -> None:
    problems = check(written(intent, more))
    assert {each.severity for each in problems} == {Weight.LINT}
    assert any(expected in str(each) for each in problems), [str(each) for each in problems]


def test_a_token_that_others_can_read_is_named_and_not_shown(intent: Path) -> None:
    os.chmod(intent.parent / "token", 0o644)
    [problem] = check(written(intent, f"influx: {{url: {URL}, token_file: token}}"))
    assert "others can read token; take that away (chmod 600)" in str(problem)
    assert "secret" not in str(problem) + repr(load(intent))


def test_the_schema_takes_one_and_a_list_and_refuses_what_check_does(intent: Path) -> None:
    takes = Draft202012Validator(schema()).is_valid
    for more, right in (
        (f"influx: {{url: {URL}}}", True),
        (f"influx: [{{url: {URL}}}, {{name: b, url: {URL}}}]", True),
        (f"influx: {{url: {URL}, kind: other}}", False),
        (f"influx: [{{url: {URL}, batch: 0}}]", False),
        ("influx: {}", False),
    ):
        assert takes(read_document(written(intent, more).read_bytes()).tree) is right, more


def test_a_reload_says_that_another_server_waits_for_a_restart(intent: Path) -> None:
    running = load(written(intent, f"influx: {{url: {URL}, token_file: token}}"))
    assert waiting(running, running) == ()
    [said] = waiting(running, load(written(intent, f"influx: {{url: {URL}, token_file: token, batch: 7}}")))
    assert str(said).startswith(
        "influx: runs with main: influxdb at https://influx.example.com:8086, -/catchment, token"
    )
    assert "7 points or 4000000 octets at once" in str(said)
    assert "secret" not in str(said)
    [none] = waiting(running, load(written(intent, "")))
    assert none.file == "no servers"
