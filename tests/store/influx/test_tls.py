"""A server is believed by its certificate, and by nothing else."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.agents.certificate import make
from store.influx.answer import Verdict
from store.influx.lines import Lines, lines
from store.influx.post import Post
from store.influx.where import Where
from store.schema import numbered
from tests.store.influx.made import points
from tests.store.influx.server import Server


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Server]:
    certificate, key = make(["localhost"], datetime.now(UTC))
    (tmp_path / "pem").write_bytes(certificate)
    (tmp_path / "key").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem", tmp_path / "key")
    server = Server(context=context)
    yield server
    server.end()


def one() -> Lines:
    [(_, batch)] = numbered([("points", points(1))], 1)
    return lines([batch])


def test_a_certificate_of_an_authority_that_is_named_is_believed(secure: Server, tmp_path: Path) -> None:
    url = f"https://localhost:{secure.server_port}"
    where = Where("tls", url, ca_file=tmp_path / "pem", timeout=timedelta(seconds=5))
    assert Post(where).send(one()).verdict is Verdict.TAKEN
    assert secure.numbers == [1]


def test_no_other_certificate_is_and_nothing_is_sent(secure: Server, tmp_path: Path) -> None:
    url = f"https://localhost:{secure.server_port}"
    where = Where("tls", url, timeout=timedelta(seconds=5))
    answer = Post(where).send(one())
    assert answer.verdict is Verdict.HELD
    assert "the server is not believed" in answer.said
    assert "certificate verify failed" in answer.said
    other = replace(where, url=f"https://127.0.0.1:{secure.server_port}", ca_file=tmp_path / "pem")
    assert Post(other).send(one()).verdict is Verdict.HELD
    assert secure.requests == []
