"""One Grafana over HTTP: where it may be, who we are to it, and what its refusals mean, as sentences."""

import json
import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, GrafanaServerError

T = TypeVar("T")
TIMEOUT = 20.0
"""Seconds for one answer."""
LONGEST = 32 << 20
"""Octets of one answer; the largest dashboard of ours has a fiftieth of that."""
_LONGEST_TOKEN = 4096
_SHOWN = 200


class PushError(Exception):
    """Why Grafana did not take it: a sentence, without any secret."""


class Bounded(requests.adapters.HTTPAdapter):
    """Reads an answer up to a limit, whatever the server says that it sends."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send one request. Raises PushError for an answer that is too long."""
        answer = super().send(request, True, timeout, verify, cert, proxies)
        try:
            content = answer.raw.read(LONGEST + 1, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise requests.exceptions.ConnectionError(error, request=request) from error
        finally:
            answer.close()
        if len(content) > LONGEST:
            raise PushError(f"an answer of more than {LONGEST >> 20} MB came; this is no Grafana")
        answer._content, answer._content_consumed = content, True
        return answer


def connected(url: str, credential: str | tuple[str, str]) -> GrafanaApi:
    """A Grafana at a URL, by a token or by name and password. Nothing is sent yet. Raises PushError."""
    shown = _plain(re.sub(r"//[^/]*@", "//", url))  # a password may stand there
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise PushError(f"{shown} is no URL such as https://grafana.example.net") from None
    if parts.username or parts.password:
        raise PushError("the URL holds a name or a password; leave them out, and give a token with --token-file")
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise PushError(f"{shown} is no URL such as https://grafana.example.net")
    loopback = _is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise PushError(f"{shown} is plain HTTP, which would show the token to the network; use https")
    prefix = parts.path.strip("/")
    api = GrafanaApi(
        credential,
        host=f"[{host}]" if ":" in host else host,
        port=port,
        url_path_prefix=f"{prefix}/" if prefix else "",
        protocol=parts.scheme,
        timeout=TIMEOUT,
        user_agent="catchment",
    )
    session = api.client.s
    session.max_redirects = 0  # where a redirect leads, nobody has checked
    session.trust_env = not loopback  # a proxy would be told what is meant for this machine alone
    session.mount("https://", Bounded())
    session.mount("http://", Bounded())
    return api


def read_token(path: Path) -> str:
    """A token from a file. Raises PushError, which never holds a part of it."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LONGEST_TOKEN + 1)
    except OSError as error:
        raise PushError(f"the token {path} cannot be read: {error.strerror}") from None
    token = raw.strip()
    if not token or len(raw) > _LONGEST_TOKEN or not token.isascii() or not token.decode("ascii").isprintable():
        raise PushError(f"{path} holds no token; make one for a service account in Grafana, and put it in there alone")
    if b" " in token:
        raise PushError(f"{path} holds more than a token; leave that alone in it")
    return token.decode("ascii")


def asked(doing: str, call: Callable[[], T]) -> T:
    """What a call brings; `doing` says what it was for. Raises PushError, and lets a 404 through as Missing."""
    try:
        return call()
    except GrafanaClientError as error:
        if error.status_code == 404:
            raise Missing(f"{doing}: Grafana has no such thing (404)") from None
        raise PushError(f"{doing}: {_refusal(error)}") from None
    except GrafanaServerError as error:
        raise PushError(f"{doing}: Grafana failed with {error.status_code}: {_words(error)}; try again") from None
    except requests.exceptions.TooManyRedirects:
        raise PushError(f"{doing}: Grafana sends us elsewhere; give the address to which it does") from None
    except requests.exceptions.SSLError:
        raise PushError(f"{doing}: its certificate is not believed here; REQUESTS_CA_BUNDLE names another CA") from None
    except requests.exceptions.Timeout:
        raise PushError(f"{doing}: no answer within {TIMEOUT:.0f} seconds") from None
    except (json.JSONDecodeError, requests.exceptions.JSONDecodeError, UnicodeDecodeError):
        raise PushError(f"{doing}: the answer is no JSON; is this Grafana's address?") from None
    except requests.exceptions.RequestException:
        raise PushError(f"{doing}: nobody answers there, or the connection broke") from None


class Missing(PushError):
    """What was asked for is not there."""


def _refusal(error: GrafanaException) -> str:
    match error.status_code:
        case 401:
            return "Grafana does not know the token (401); make one for a service account, and put it into the file"
        case 403:
            return (
                f"the token may not do that (403: {_words(error)}); give its service account the role Editor, or the "
                "right to write dashboards and folders"
            )
        case 412 | 409:
            return (
                f"somebody else has changed it meanwhile, or its name is taken ({error.status_code}: {_words(error)})"
            )
        case code:
            return f"Grafana refused ({code}: {_words(error)})"


def _words(error: GrafanaException) -> str:
    """The server's own words, short, and harmless to a terminal."""
    said = error.response
    text = said.get("message", "") if isinstance(said, dict) else said
    return _plain(str(text)) or "without a word"


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)[:_SHOWN].strip()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
