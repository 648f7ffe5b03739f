"""Faults of applications and of what checks them: slow, failing, dead behind a health check that hangs."""

import http.client
import signal
import time
from collections.abc import Callable, Sequence

from lab import processes, space
from lab.app import PATH, WELL, Trouble
from lab.daemons import application
from lab.faults.machines import kill_app
from lab.faults.rules import names, places
from lab.faults.verb import Fault, FaultError, Say
from lab.topology import APP_HTTP_PORT, Lab, Node, Role
from lab.witness import TableWatcher, Witness

Shows = Callable[[float, int], bool]
"""Whether an answer that took so many seconds and had this status shows the effect."""


def slow_app(lab: Lab, words: Sequence[str]) -> Fault:
    """Applications take so many milliseconds before they answer over HTTP; their network is as fast as ever."""
    word, number, apps = _read(lab, words, 800.0)
    trouble = Trouble(slow=number / 1000)
    return _ailing(lab, f"{word}, {number:g} ms", apps, trouble, lambda took, status: took >= trouble.slow)


def failing_app(lab: Lab, words: Sequence[str]) -> Fault:
    """Applications answer so many percent of their requests with 503."""
    word, number, apps = _read(lab, words, 50.0)
    return _ailing(
        lab, f"{word}, {number:g} %", apps, Trouble(failing=number / 100), lambda took, status: status == 503
    )


def _read(lab: Lab, words: Sequence[str], number: float) -> tuple[str, float, tuple[Node, ...]]:
    numbers = [float(word) for word in words if word.replace(".", "", 1).isdigit()]
    named = [word for word in words if not word.replace(".", "", 1).isdigit()]
    word = named[0] if named else "weu"
    apps = places(lab, word, Role.APPLICATION)
    if len(named) > 1 or len(numbers) > 1 or not apps:
        raise FaultError(f"say a region or an application server and a number, not {' '.join(words)!r}")
    return word, (numbers or [number])[0], apps


def _ailing(lab: Lab, target: str, apps: Sequence[Node], trouble: Trouble, shows: Shows) -> Fault:
    def become(ails: Trouble, say: Say) -> None:
        for app in apps:
            application.ail(lab, app, ails)
            say(f"{app.name}: {ails}")

    return Fault(
        target,
        lambda: _asked(lab, apps[-1], shows),
        lambda say: become(trouble, say),
        lambda: _asked(lab, apps[-1], lambda took, status: took < 0.1 and status == 200),
        lambda say: become(WELL, say),
    )


def _asked(lab: Lab, app: Node, shows: Shows) -> Witness:
    """Somebody on the server itself asks the application, as one of its users would."""

    def ask() -> str | None:
        began = time.monotonic()
        status = space.inside(lab.namespace(app.name), lambda: _get(str(app.address)))
        took = time.monotonic() - began
        return f"status {status} after {took * 1000:.0f} ms" if shows(took, status) else None

    return TableWatcher(f"user on {app.name}", ask, 0.02)


def _get(address: str) -> int:
    connection = http.client.HTTPConnection(address, APP_HTTP_PORT, timeout=5)
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status
    finally:
        connection.close()


def stuck_health(lab: Lab, words: Sequence[str]) -> Fault:
    """The health checks of NVAs hang, and then their applications die: dead and still advertised."""
    word = words[0] if words else "weu"
    apps = places(lab, word, Role.APPLICATION)
    if len(words) > 1 or not apps:
        raise FaultError(f"say a region or an application server such as weu or weu-app1, not {' '.join(words)!r}")
    nvas = [application.behind(lab, app) for app in apps]
    death = kill_app(lab, [word])

    def inject(say: Say) -> None:
        _signal(lab, nvas, signal.SIGSTOP, "hangs", say)
        death.inject(say)

    def heal(say: Say) -> None:
        death.heal(say)
        time.sleep(0.3)  # the applications answer again before anybody asks them
        _signal(lab, nvas, signal.SIGCONT, "checks again", say)

    return Fault(word, lambda: _refuses(lab, apps), inject, lambda: _answer(lab, apps), heal)


def _signal(lab: Lab, nvas: Sequence[Node], number: int, how: str, say: Say) -> None:
    for nva in nvas:
        health = processes.find(lab, nva.name, "health")
        if health is not None and processes.send(health, number):
            say(f"{nva.name}: its health check {how}")


def _refuses(lab: Lab, apps: Sequence[Node]) -> Witness:
    def ask() -> str | None:
        dead = [app for app in apps if processes.find(lab, app.name, "app") is None]
        return f"no application runs on {names(apps)}" if len(dead) == len(apps) else None

    return TableWatcher("kernel's processes", ask, 0.01)


def _answer(lab: Lab, apps: Sequence[Node]) -> Witness:
    return _asked(lab, apps[-1], lambda took, status: status == 200)
