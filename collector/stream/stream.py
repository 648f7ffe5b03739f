"""Files as a stream of elements, in the manner of pybgpstream."""

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeAlias, cast

from collector.stream.elem import PYBGPSTREAM, BGPElem
from collector.stream.filters import All as AllOf
from collector.stream.filters import AnyOf, Filter, Not, any_of, in_time, joined, parse_filter
from collector.stream.terms import RECORDS, HasType, record_term, router_term
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable

Path: TypeAlias = str | os.PathLike[str]
Input: TypeAlias = Path | Readable
Time: TypeAlias = str | float | datetime


class Stream:
    """Elements of files, one after another. Iterate over it once; `close`, or `with`, closes the file that is open."""

    def __init__(self, files: Iterable[Input], wanted: Filter) -> None:
        self.malformed = 0
        """How many elements of type M there were so far, let through or not."""
        self.wanted = wanted if asks_for_a_type(wanted) else joined(HasType(PYBGPSTREAM), wanted)
        self._elements = self._each(tuple(files))

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[BGPElem]:
        return self

    def __next__(self) -> BGPElem:
        return BGPElem(next(self._elements))

    def close(self) -> None:
        """End the stream; a file that it opened is closed, one that it was given is not."""
        self._elements.close()

    def _each(self, files: tuple[Input, ...]) -> Generator[Element, None, None]:
        matches = self.wanted.matches
        for file in files:
            with opened(file) as plain:
                for element in elements(plain):
                    self.malformed += element.type is ElementType.MALFORMED
                    if matches(element):
                        yield element


def catchment_stream(
    *files: Input | Iterable[Input],
    filter: str | Filter = "",
    from_time: Time | None = None,
    until_time: Time | None = None,
    record_type: str | None = None,
    collector: str | None = None,
) -> Stream:
    """Stream the elements of BMP and MRT files (plain or compressed; paths or binary files), as pybgpstream does.

    `filter` is a sentence such as `prefix more 10.0.0.0/8 and peer 65010`; both times are included; `record_type` is
    `ribs` or `updates`. Without an `elemtype` in the filter, the types that pybgpstream has are given: R, A, W and S.

    Raises FilterError at once; while iterating, OSError for a file that cannot be opened and Malformed for one that is
    neither BMP nor MRT. Bytes that are wrong later are counted in `malformed`, and the rest is read.
    """
    return Stream(inputs(files), asked(filter, from_time, until_time, record_type, collector))


def asked(
    filter: str | Filter, from_time: Time | None, until_time: Time | None, record_type: str | None, name: str | None
) -> Filter:
    """One filter out of what the functions of this package take."""
    return joined(
        in_time(from_time, until_time),
        any_of(*([record_term(record_type)] if record_type else [])),
        any_of(*([router_term(name)] if name else [])),
        parse_filter(filter) if isinstance(filter, str) else filter,
    )


def inputs(files: Iterable[Input | Iterable[Input]]) -> Iterator[Input]:
    """Each file of files and of lists of files."""
    for file in files:
        if isinstance(file, str | os.PathLike) or hasattr(file, "read"):
            yield cast(Input, file)
        else:
            yield from file


@contextmanager
def opened(file: Input) -> Iterator[Readable]:
    """A file open for reading; closed afterwards if it was opened here. What is Malformed then bears its name."""
    if not isinstance(file, str | os.PathLike):
        yield file
        return
    with open(file, "rb") as plain:
        try:
            yield plain
        except Malformed as error:
            raise Malformed(f"{os.fspath(file)}: {error.reason}", error.offset, error.data) from error


def asks_for_a_type(wanted: Filter) -> bool:
    """Whether a filter says which types of element it wants, and not only which records."""
    match wanted:
        case AllOf(parts) | AnyOf(parts):
            return any(map(asks_for_a_type, parts))
        case Not(part):
            return asks_for_a_type(part)
        case _:
            return isinstance(wanted, HasType) and wanted.types not in RECORDS.values()
