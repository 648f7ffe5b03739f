"""Routes as lines of `bgpdump -m`, from columns into a buffer.

A line is what precedes the prefix, the prefix, and the text of the attributes, which is made once for each distinct
blob and kept in an arena. Before each line the buffer must have room for the longest that this row can make; what is
not ordinary (see `collector.kernel.text_attributes`) is asked of Python, and the call repeated from the same row.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import FINGERPRINT, entry, inner
from collector.kernel.intern import lent_table
from collector.kernel.text_attributes import DEPRECATED, EACH, FIXED, SIX, VARIANTS, attributes_text
from collector.kernel.text_words import four, letter, number, padded, six, span
from collector.kernel.words import borrow

u64 = np.uint64
_0, _1, _2, _8, _32 = (u64(value) for value in (0, 1, 2, 8, 32))
_BAR, _SLASH, _DOT, _NEWLINE = u64(124), u64(47), u64(46), u64(10)
_NONE = u64(0xFFFFFFFFFFFFFFFF)
_BILLION, _THOUSAND = np.int64(1_000_000_000), np.int64(1000)

HEAD = 24
"""Octets of one entry of `Spelling.heads`, of which at most 16 are text."""
HEADS = 18 * 4
"""Entries: form * 4 + 2 where the recording side sent it + 1 where a path id is carried."""
PEER = 64
"""Octets of the longest text of a peer."""
_VARIANTS = u64(VARIANTS)
_HEAD, _HEADS, _PEER = u64(HEAD), u64(HEADS), u64(PEER)
_LINE = u64(256)
"""Room for a line without its attributes: form 16, time 22, letter 2, peer 64, prefix 50, path id 11, and slack."""
_LETTERS = np.frombuffer(b"WAB", np.uint8).copy()


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
    """The columns of a batch that a line is made of, all of one length; see `collector.files.batch.FileBatch`."""

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
    form: Any
    has_path_id: Any


class Spelling(NamedTuple):
    """What rows point to, as text."""

    heads: Any
    """uint8[HEADS * HEAD]: forms, each with its bar."""
    head_sizes: Any
    """uint8[HEADS]; 0 where there is no such form."""
    micros: Any
    """uint8[18]: 1 for a form whose times have microseconds."""
    peers: Any
    """uint8: peers with their AS, both with a bar, one behind the other, and 8 octets."""
    peer_starts: Any
    """uint64[sessions + 1]."""


class Texts(NamedTuple):
    """The attributes' texts made so far; entry numbers are those of `collector.kernel.intern.Interned`."""

    starts: Any
    """uint64[entries * VARIANTS], at entry * VARIANTS + variant."""
    sizes: Any
    """uint64 likewise; 0 where there is none yet."""
    arena: Any
    """uint8."""
    used: Any
    """uint64[1]; never 0."""


@inner
def _lent(columns: Any) -> Any:
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
        borrow(columns.form),
        borrow(columns.has_path_id),
    )


@inner
def _lent_spelling(spelling: Any) -> Any:
    return Spelling(
        borrow(spelling.heads),
        borrow(spelling.head_sizes),
        borrow(spelling.micros),
        borrow(spelling.peers),
        borrow(spelling.peer_starts),
    )


@inner
def _number(table: Any, identity: Any) -> Any:
    """Entry number of an id; raises IndexError when it is not held."""
    mask = u64(len(table.slots)) - _1
    slot = identity & mask
    while table.slots[slot] != 0:
        entry_number = u64(table.slots[slot]) - _1
        if table.ids[entry_number] == identity:
            return entry_number
        slot = (slot + _1) & mask
    raise IndexError("attributes that are not in the table")


@inner
def _made(table: Any, octets: Any, texts: Any, entry_number: Any, variant: Any) -> Any:
    """Make the text of an entry where there is none yet: what happened."""
    at = entry_number * _VARIANTS + variant
    if at >= u64(len(texts.sizes)):
        return _GROW
    if texts.sizes[at] != _0:
        return _GOES_ON
    size, used = table.sizes[entry_number], texts.used[_0]
    if used + FIXED + EACH * size > u64(len(texts.arena)):
        return _GROW
    start, narrow = table.starts[entry_number] * _8, u64(table.narrow[entry_number])
    end = attributes_text(octets, start, size, narrow, variant, texts.arena, used)
    if end == _0:
        return _PLAIN
    texts.starts[at], texts.sizes[at], texts.used[_0] = used, end - used, end
    return _GOES_ON


@inner
def _head(columns: Any, row: Any, spelling: Any, out: Any, to: Any) -> Any:
    """What precedes the prefix."""
    form = u64(columns.form[row])
    which = form << _2
    if columns.rib[row] >= 3 and columns.action[row] != 2:
        which += _2
    if columns.has_path_id[row]:
        which += _1
    if which >= _HEADS or spelling.head_sizes[which] == 0:
        raise IndexError("a row of a form that has no name")
    to = span(spelling.heads, which * _HEAD, u64(spelling.head_sizes[which]), out, to)
    at = columns.at[row]
    seconds = at // _BILLION
    to = number(out, to, u64(seconds))
    if spelling.micros[form]:
        to = padded(out, letter(out, to, _DOT), u64((at - seconds * _BILLION) // _THOUSAND), u64(6))
    to = letter(out, letter(out, to, _BAR), u64(_LETTERS[columns.action[row]]))
    session = u64(columns.session[row])
    start, end = spelling.peer_starts[session], spelling.peer_starts[session + _1]
    if end < start or end - start > _PEER or end + _8 > u64(len(spelling.peers)):
        raise IndexError("a peer whose text is none")
    return span(spelling.peers, start, end - start, out, letter(out, to, _BAR))


@inner
def _like(columns: Any, row: Any, last: Any) -> Any:
    """Whether what precedes the prefix is the same in two rows."""
    return (
        columns.at[row] == columns.at[last]
        and columns.session[row] == columns.session[last]
        and columns.form[row] == columns.form[last]
        and columns.action[row] == columns.action[last]
        and columns.rib[row] == columns.rib[last]
        and columns.has_path_id[row] == columns.has_path_id[last]
    )


@inner
def _route(columns: Any, row: Any, out: Any, to: Any) -> Any:
    """The prefix, and the path id where there is one."""
    if columns.family[row] == 4:
        to = four(out, to, columns.prefix_high[row] >> _32)
    else:
        to = six(out, to, columns.prefix_high[row], columns.prefix_low[row])
    to = number(out, letter(out, to, _SLASH), u64(columns.length[row]))
    if columns.has_path_id[row]:
        to = number(out, letter(out, to, _BAR), u64(columns.path_id[row]))
    return to


def _entry(fingerprint: int) -> Any:
    @entry
    def lines(columns: Any, first: Any, spelling: Any, table: Any, octets: Any, texts: Any, out: Any) -> Any:
        assert fingerprint
        columns, spelling, table = _lent(columns), _lent_spelling(spelling), lent_table(table)
        octets, out = borrow(octets), borrow(out)
        texts = Texts(borrow(texts.starts), borrow(texts.sizes), borrow(texts.arena), borrow(texts.used))
        row, rows, to, room = first, u64(len(columns.at)), _0, u64(len(out))
        head, head_size, identity, entry_number, variant, index = _0, _0, _0, _0, _NONE, _0
        halt = _END
        while row < rows:
            size, withdrawn = _0, columns.action[row] == 0
            if not withdrawn:
                before = variant
                variant = SIX if columns.family[row] == 6 else _0
                if columns.form[row] == 5:
                    variant |= DEPRECATED
                if columns.attributes[row] != identity or before != variant:
                    identity = columns.attributes[row]
                    entry_number = _number(table, identity)
                    what = _made(table, octets, texts, entry_number, variant)
                    if what != _GOES_ON:
                        halt = what
                        break
                    index = entry_number * _VARIANTS + variant
                size = texts.sizes[index]
            if size + _LINE > room - to:
                halt = _FULL
                break
            start = to
            if row > first and _like(columns, row, row - _1):
                to = span(out, head, head_size, out, to)
            else:
                to = _head(columns, row, spelling, out, to)
            head, head_size = start, to - start
            to = _route(columns, row, out, to)
            if not withdrawn:
                to = span(texts.arena, texts.starts[index], size, out, letter(out, to, _BAR))
            to = letter(out, to, _NEWLINE)
            row += _1
        return row, to, halt, entry_number, variant

    return lines


lines = _entry(FINGERPRINT)
"""`lines(columns, first, spelling, table, octets, texts, out) -> (row, size, halt, entry number, variant)`

Writes the rows from `first` (uint64) on to `out` (uint8): `size` octets, up to before `row`, where a `Halt` says why.
`octets` is the arena of `table` as uint8. With PLAIN, the text of the entry and variant is to be put into `texts`.
Raises IndexError when a row points to what is not there.
"""
