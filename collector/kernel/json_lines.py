"""Rows of a batch as lines of JSON, from columns into a buffer, by compiled code.

A line is the row's type and time, texts of its session, its prefix, and the text of its attributes, which is made once
for each distinct blob. Before each line the buffer must have room for all of it; what cannot be written now is asked of
Python, and the call repeated from the same row.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import FINGERPRINT, entry, inner
from collector.kernel.intern import lent_table
from collector.kernel.json_attributes import EACH, FIXED, attributes_text, plural, said
from collector.kernel.text_words import four, letter, number, padded, span
from collector.kernel.words import borrow, put

u64 = np.uint64
_0, _1, _2, _3, _4, _6, _8, _10, _16, _32, _48, _FF = (u64(n) for n in (0, 1, 2, 3, 4, 6, 8, 10, 16, 32, 48, 0xFF))
_FFFF, _12, _15, _LETTER, _ZERO = u64(0xFFFF), u64(12), u64(15), u64(87), u64(48)
_SLASH, _DASH, _COLON, _DOT, _QUOTE, _Z, _T = (u64(ord(sign)) for sign in '/-:."ZT')
_DAY, _THOUSAND = np.int64(86_400_000_000), np.int64(1000)

KINDS = 6
"""Texts of a session before the prefix: in each of the five tables, and in a table dump; for both families."""
_LINE = u64(400)
"""Room for a line without the texts of its session and attributes."""


class Halt(IntEnum):
    """Why `lines` returned."""

    END = 0
    FULL = 1
    """The buffer has no room for the next line."""
    GROW = 2
    """The arena has no room for the next attributes, or there is no entry for them yet."""
    PLAIN = 3
    """The attributes of the next line are not ordinary."""


_END, _FULL, _GROW, _PLAIN, _GOES_ON = (u64(value) for value in (*Halt, 99))


class Columns(NamedTuple):
    """The columns of a batch, all of one length; see `collector.files.batch.FileBatch`."""

    at: Any
    session: Any
    rib: Any
    family: Any
    prefix_high: Any
    prefix_low: Any
    length: Any
    path_id: Any
    action: Any
    attributes: Any
    has_path_id: Any
    originated: Any
    timed: Any
    """bool: the time is known."""


class Sessions(NamedTuple):
    """What is said of sessions, one text behind the other, and 8 octets; `starts` has one more than there are texts."""

    texts: Any
    """uint8."""
    starts: Any
    """uint64[sessions * (KINDS * 2 + 2) + 1]: what precedes the prefix (KINDS * 2), what follows it, and the end."""


class Texts(NamedTuple):
    """The attributes' texts made so far; entry numbers are those of `collector.kernel.intern.Interned`."""

    starts: Any
    """uint64[entries * 2], at entry * 2 + (0 for IPv4, 1 for IPv6)."""
    sizes: Any
    """uint64 likewise; 0 where there is none yet."""
    arena: Any
    """uint8."""
    used: Any
    """uint64[1]; never 0."""


@inner
def _lent(columns: Any) -> Any:
    """The arrays without their reference counts, as below."""
    return Columns(
        borrow(columns.at),
        borrow(columns.session),
        borrow(columns.rib),
        borrow(columns.family),
        borrow(columns.prefix_high),
        borrow(columns.prefix_low),
        borrow(columns.length),
        borrow(columns.path_id),
        borrow(columns.action),
        borrow(columns.attributes),
        borrow(columns.has_path_id),
        borrow(columns.originated),
        borrow(columns.timed),
    )


@inner
def _lent_sessions(sessions: Any) -> Any:
    return Sessions(borrow(sessions.texts), borrow(sessions.starts))


@inner
def _lent_texts(texts: Any) -> Any:
    return Texts(borrow(texts.starts), borrow(texts.sizes), borrow(texts.arena), borrow(texts.used))


def _text(of: str) -> Any:
    return np.frombuffer(of.encode() + bytes(8), np.uint8).copy()


_TYPES = _text('{"type":"W{"type":"A{"type":"R')
_TYPE = u64(10)
_TIME, _ORIGINATED, _PATH_ID = _text('","time":"'), _text(',"originated":"'), _text(',"path_id":')


@inner
def _stamp(out: Any, to: Any, microseconds: Any) -> Any:
    """RFC 3339 in UTC with microseconds; the day by the civil calendar, counted in eras of 400 years from March on."""
    days = microseconds // _DAY
    rest = u64(microseconds - days * _DAY)
    shifted = days + 719468
    era = shifted // 146097
    of_era = shifted - era * 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year = year + era * 400 + (1 if month <= 2 else 0)
    to = padded(out, to, u64(year), _4)
    to = padded(out, letter(out, to, _DASH), u64(month), _2)
    to = padded(out, letter(out, to, _DASH), u64(day), _2)
    seconds = rest // u64(1_000_000)
    to = padded(out, letter(out, to, _T), seconds // u64(3600), _2)
    to = padded(out, letter(out, to, _COLON), seconds // u64(60) % u64(60), _2)
    to = padded(out, letter(out, to, _COLON), seconds % u64(60), _2)
    to = padded(out, letter(out, to, _DOT), rest % u64(1_000_000), _6)
    return letter(out, letter(out, to, _Z), _QUOTE)


@inner
def _entry(table: Any, identity: Any) -> Any:
    """Entry number of an id; raises IndexError when it is not held."""
    mask = u64(len(table.slots)) - _1
    slot = identity & mask
    while table.slots[slot] != 0:
        found = u64(table.slots[slot]) - _1
        if table.ids[found] == identity:
            return found
        slot = (slot + _1) & mask
    raise IndexError("attributes that are not in the table")


@inner
def _made(table: Any, octets: Any, texts: Any, found: Any, variant: Any, work: Any) -> Any:
    """Make the text of an entry where there is none yet: what happened."""
    at = found * _2 + variant
    if at >= u64(len(texts.sizes)):
        return _GROW
    if texts.sizes[at] != _0:
        return _GOES_ON
    size, used = table.sizes[found], texts.used[_0]
    if used + FIXED + EACH * size > u64(len(texts.arena)):
        return _GROW
    start, narrow = table.starts[found] * _8, u64(table.narrow[found])
    end = attributes_text(octets, start, size, narrow, variant, work, texts.arena, used)
    if end == _0:
        return _PLAIN
    texts.starts[at], texts.sizes[at], texts.used[_0] = used, end - used, end
    return _GOES_ON


@inner
def _said(sessions: Any, at: Any, out: Any, to: Any) -> Any:
    start, end = sessions.starts[at], sessions.starts[at + _1]
    if end < start or end + _8 > u64(len(sessions.texts)):
        raise IndexError("a session whose text is none")
    return span(sessions.texts, start, end - start, out, to)


@inner
def _line(columns: Any, row: Any, sessions: Any, first: Any, out: Any, to: Any) -> Any:
    """A line up to its attributes; `first` is the first text of its session."""
    action = u64(columns.action[row])
    if action > _2:
        raise IndexError("a row of an action that there is not")
    to = span(_TYPES, action * _TYPE, _TYPE, out, to)
    if columns.timed[row]:
        to = said(_TIME, out, to)
        to = _stamp(out, to, columns.at[row] // _THOUSAND)
    else:
        to = letter(out, to, _QUOTE)
    if action == _2:
        to = said(_ORIGINATED, out, to)
        to = _stamp(out, to, columns.originated[row] * 1_000_000)
    six = columns.family[row] == 6
    which = u64(KINDS - 1) if action == _2 else min(u64(columns.rib[row]), u64(KINDS - 2))
    to = _said(sessions, first + which * _2 + (_1 if six else _0), out, to)
    if six:
        to = plural(out, to, columns.prefix_high[row], columns.prefix_low[row])
    else:
        to = four(out, to, columns.prefix_high[row] >> _32)
    to = number(out, letter(out, to, _SLASH), u64(columns.length[row]))
    to = letter(out, to, _QUOTE)
    to = _said(sessions, first + u64(KINDS * 2), out, to)
    if columns.has_path_id[row]:
        to = number(out, said(_PATH_ID, out, to), u64(columns.path_id[row]))
    return _said(sessions, first + u64(KINDS * 2 + 1), out, to)


def _entries(fingerprint: int) -> Any:
    @entry
    def lines(
        columns: Any, row: Any, sessions: Any, longest: Any, table: Any, octets: Any, texts: Any, work: Any, out: Any
    ) -> Any:
        assert fingerprint
        columns, sessions, table, texts = (
            _lent(columns),
            _lent_sessions(sessions),
            lent_table(table),
            _lent_texts(texts),
        )
        octets, work, out = borrow(octets), borrow(work), borrow(out)
        to, why, variant, found = _0, _END, _0, _0
        rows = u64(len(columns.at))
        each = u64(KINDS * 2 + 2)
        while row < rows:
            size = _0
            if columns.action[row] != 0:
                variant = _1 if columns.family[row] == 6 else _0
                found = _entry(table, columns.attributes[row])
                why = _made(table, octets, texts, found, variant, work)
                if why != _GOES_ON:
                    break
                size = texts.sizes[found * _2 + variant]
            if to + _LINE + longest + size > u64(len(out)):
                why = _FULL
                break
            why = _END
            to = _line(columns, row, sessions, u64(columns.session[row]) * each, out, to)
            if size != _0:
                to = span(texts.arena, texts.starts[found * _2 + variant], size, out, to)
            put(out, to, u64(125))
            put(out, to + _1, _10)
            to += _2
            row += _1
        return row, to, why, found, variant

    return lines


lines = _entries(FINGERPRINT)
"""`lines(columns, row, sessions, longest, table, octets, texts, work, out)` writes lines from `row` on, and returns
(row, octets written, Halt, entry number, variant). `longest` is the length of the longest texts of a session together,
`octets` the table's arena as uint8, and `work` uint64[WORK] of `collector.kernel.json_attributes`."""
