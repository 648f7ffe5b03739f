"""The formats of `catchment decode`: what each does with batches of columns and with elements."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from collector.stream.text import line
from collector.wire.element import Element
from pipeline.cli.output import Output

if TYPE_CHECKING:  # heavy, and a small file does without
    from collector.files.batch import FileBatch


class Written(Protocol):
    """What becomes of elements."""

    where: str
    """Where malformed messages are told of, in words."""
    counts_messages: bool

    def begin(self) -> None:
        """A file begins."""
        ...

    def element(self, element: Element) -> None:
        """An element that was let through."""
        ...

    def batch(self, batch: "FileBatch") -> None:
        """Rows that were let through."""
        ...

    def flush(self) -> None:
        """What was let through so far must be seen: who reads now may have to wait for more."""
        ...

    def file(self, octets: int, messages: int, seconds: float) -> None:
        """A file has ended: octets as they are on the disk, messages where they are counted, and how long it took."""
        ...

    def end(self) -> None:
        """There is no more."""
        ...


def writer(form: str, stats: bool, as_json: bool, out: Output) -> Written:
    """Return what writes a format to `out`."""
    if stats:
        return _Stats(out, as_json)
    return _FORMS[form](out)


class _Jsonl:
    where = "see lines of type M"
    counts_messages = False

    def __init__(self, out: Output) -> None:
        self._out = out
        self._lines: Any = None

    def begin(self) -> None:
        self._lines = None

    def element(self, element: Element) -> None:
        self._out.write(line(element).encode())

    def batch(self, batch: "FileBatch") -> None:
        if self._lines is None:
            from collector.stream.lines import Lines

            self._lines = Lines()
        for piece in self._lines.of(batch):
            self._out.write(piece)

    def flush(self) -> None:
        self._out.flush()

    def file(self, octets: int, messages: int, seconds: float) -> None:
        pass

    def end(self) -> None:
        pass


class _Bgpdump:
    where = "--type M --format jsonl shows them"
    counts_messages = False

    def __init__(self, out: Output) -> None:
        self._out = out
        self._writer: Any = None

    def begin(self) -> None:
        from collector.files.bgpdump import Writer

        self._writer = Writer(self._out)  # type: ignore[arg-type]  # of a file, it only writes

    def element(self, element: Element) -> None:
        self._writer.element(element)

    def batch(self, batch: "FileBatch") -> None:
        self._writer.batch(batch)

    def flush(self) -> None:
        self._writer.flush()
        self._out.flush()

    def file(self, octets: int, messages: int, seconds: float) -> None:
        self._writer.flush()

    def end(self) -> None:
        pass


class _Table:
    where = "see rows of type M"
    counts_messages = False

    def __init__(self, out: Output) -> None:
        from pipeline.cli.element_table import ElementTable

        self._out = out
        self._table = ElementTable()

    def begin(self) -> None:
        pass

    def element(self, element: Element) -> None:
        for text in self._table.element(element):
            self._out.write(text.encode())

    def batch(self, batch: "FileBatch") -> None:
        from collector.files.batch import as_elements

        for element in as_elements(batch):
            self.element(element)

    def flush(self) -> None:
        self._out.flush()

    def file(self, octets: int, messages: int, seconds: float) -> None:
        pass

    def end(self) -> None:
        for text in self._table.rest():
            self._out.write(text.encode())


class _Stats:
    where = "--type M shows them"
    counts_messages = True

    def __init__(self, out: Output, as_json: bool) -> None:
        from collector.stream.tally import Tally

        self._out, self._as_json = out, as_json
        self._tally = Tally()
        self._files = self._octets = self._messages = 0
        self._seconds = 0.0

    def begin(self) -> None:
        pass

    def element(self, element: Element) -> None:
        self._tally.element(element)

    def batch(self, batch: "FileBatch") -> None:
        self._tally.batch(batch)

    def flush(self) -> None:
        pass

    def file(self, octets: int, messages: int, seconds: float) -> None:
        self._files += 1
        self._octets += octets
        self._messages += messages
        self._seconds += seconds

    def end(self) -> None:
        rate = self._tally.routes / self._seconds if self._seconds else 0.0
        plain = {
            "files": self._files,
            "octets": self._octets,
            "messages": self._messages,
            "seconds": round(self._seconds, 6),
            "routes_per_second": round(rate),
            **self._tally.plain(),
        }
        if self._as_json:
            self._out.write((json.dumps(plain, indent=2) + "\n").encode())
            return
        from pipeline.cli.stats_table import stats_lines

        self._out.write("".join(text + "\n" for text in stats_lines(plain)).encode())


_FORMS: Final[dict[str, Callable[[Output], Written]]] = {"jsonl": _Jsonl, "bgpdump": _Bgpdump, "table": _Table}
