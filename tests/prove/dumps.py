"""Tables of a million routes, one after the other, from a router that is not the one whose routes are withdrawn."""

import time
from threading import Event, Thread
from typing import Self

from tests.prove.pouring import Pouring
from tests.prove.scene import Scene

ROUTES = 1_000_000
CONNECTED = 'catchment_feed_connected{exporter="nyc-ce1"}'
TAKEN = 'catchment_feed_routes_total{exporter="nyc-ce1"}'
SACRIFICED = "cannot keep up with"
"""What the daemon's log says when it leaves routes out."""


class Dumps:
    """Has a table follow the other: the next one begins when three quarters of the one before are decoded."""

    def __init__(self, made: Scene, pouring: Pouring) -> None:
        self._made, self._pouring = made, pouring
        self._over = Event()
        self._thread = Thread(target=self._run, name="dumps", daemon=True)
        self.failure = ""

    def _run(self) -> None:
        begun, before = 0, self._made.metrics().get(TAKEN, 0.0)
        while not self._over.wait(0.2):
            found = self._made.metrics()
            if begun and not found[CONNECTED]:
                self.failure = "the feed that dumps was lost"
                return
            if found.get(TAKEN, 0.0) - before >= (begun - 0.25) * ROUTES:
                self._pouring.pour()
                begun += 1

    def __enter__(self) -> Self:
        before = self._made.metrics().get(TAKEN, 0.0)
        self._thread.start()
        while self._made.metrics().get(TAKEN, 0.0) - before < ROUTES:
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if SACRIFICED in (self._made.folder / "daemon.log").read_text():
            self.failure = "the daemon left routes of the dump out, so that it had less to do"


class Pace:
    """How many routes a second the router that dumps got rid of."""

    def __init__(self, made: Scene) -> None:
        self._made = made
        self._before = time.time(), self._routes()

    def rate(self) -> float:
        """Routes a second since the last question."""
        at, routes = self._before
        self._before = now, total = time.time(), self._routes()
        return (total - routes) / (now - at)

    def _routes(self) -> float:
        return self._made.metrics().get(TAKEN, 0.0)
