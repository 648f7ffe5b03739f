"""Which requests are let through, by Host and Origin alone."""

import pytest
from starlette.types import Receive, Scope, Send

from pipeline.api.guard import Guard


async def _app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("nobody asks here")


def _status(
    host: str | None, origin: str | None = None, *, server: str = "127.0.0.1", names: tuple[str, ...] = ()
) -> int:
    """200 for what is let through, else the status of the refusal."""
    given = [(b"host", host), (b"origin", origin)]
    headers = [(name, value.encode("latin-1")) for name, value in given if value is not None]
    scope: Scope = {"type": "http", "scheme": "http", "headers": headers, "server": (server, 8470)}
    refused = Guard(_app, names).refusal(scope)
    return 200 if refused is None else refused[0]


@pytest.mark.parametrize("host", ["127.0.0.1:8470", "127.8.8.8", "localhost", "LocalHost:80", "[::1]:8470", None])
def test_this_machine_may_be_asked_by_its_own_names(host: str | None) -> None:
    assert _status(host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.7:8470", "[2001:db8::1]", "x:y", "a/b", "[::1"]
)
def test_any_other_name_may_be_somebody_elses_dns(host: str) -> None:
    assert _status(host) == 421


def test_the_address_that_was_reached_is_ours_whichever_it_is() -> None:
    assert _status("10.0.0.7:8470", server="10.0.0.7") == 200
    assert _status("10.0.0.8:8470", server="10.0.0.7") == 421
    assert _status("[fe80::1]:8470", server="fe80::1%eth0") == 200
    assert _status("[2001:DB8:0::1]:8470", server="2001:db8::1") == 200


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:8470", "http://127.0.0.1:8470", 200),
        ("localhost:8470", "http://LOCALHOST:8470", 200),
        ("localhost", "http://localhost", 200),
        ("localhost:80", "http://localhost", 200),
        ("127.0.0.1:8470", "http://localhost:8470", 403),
        ("127.0.0.1:8470", "http://127.0.0.1:3000", 403),
        ("127.0.0.1:8470", "https://127.0.0.1", 403),
        ("127.0.0.1:8470", "null", 403),
        ("127.0.0.1:8470", "http://user@127.0.0.1:8470", 403),
        ("127.0.0.1:8470", "http://127.0.0.1:8470/path", 403),
        (None, "http://127.0.0.1:8470", 403),
    ],
)
def test_a_page_may_ask_when_it_is_from_where_it_asks(host: str | None, origin: str, status: int) -> None:
    assert _status(host, origin) == status


def test_behind_a_proxy_the_names_of_the_intent_are_ours() -> None:
    names = ("catchment.example.com",)
    assert _status("catchment.example.com", "https://catchment.example.com", names=names) == 200
    assert _status("127.0.0.1:8470", "https://Catchment.example.com", names=names) == 200
    assert _status("127.0.0.1:8470", "https://catchment.example.com") == 403
    assert _status("other.example.com", names=names) == 421
