"""Parts of files where a file can only be read from its start on: what to read, and what to take of it. Pure.

A log that has outgrown that has a tail file beside it, which the worker keeps: its first line says where in
the log the rest of the tail file begins.
"""

import re
from collections.abc import Mapping

from runners.transport.base import Part, Piece, fault_of, trouble
from runners.transport.cat import Start

NEAR_BYTES = 256 * 1024
"""So much of a file is read from its start on: `cat` knows no offset."""

TAIL = ".tail"
"""What the name of a log's tail file ends in."""


def is_far(piece: Piece) -> bool:
    """Whether a piece has to be taken from the tail file, if there is one."""
    return piece.offset < 0 or piece.offset >= NEAR_BYTES


def tail_of(start: Start) -> tuple[int, bytes] | None:
    """Where the part of the log begins that a tail file holds, and that part."""
    match = re.match(rb'\{"offset": *([0-9]{1,18})\}\n', start.data)
    return None if match is None or not start.whole else (int(match[1]), start.data[match.end() :])


def part_of(piece: Piece, found: Mapping[str, Start], sizes: Mapping[str, int]) -> Part | None:
    """The answer to a piece.

    Args:
        piece: what was asked for.
        found: what was read, by path: the file, or for a far piece its tail, and the file if it has none.
        sizes: bytes of the files that were not read to their end, as far as known.
    """
    path = piece.path
    if fault := fault_of(path):
        return trouble(path, fault)
    tail = tail_of(found[path + TAIL]) if is_far(piece) else None
    if tail is not None:
        return _cut_out(piece, *tail)
    start = found[path]
    if start.missing:
        return None
    if start.trouble:
        return trouble(path, start.trouble)
    if start.whole:
        return _cut_out(piece, 0, start.data)
    if is_far(piece):
        return trouble(
            path, f"it holds over {NEAR_BYTES // 1024} kB, and through sudo only its start can be had"
        )
    size = max(sizes.get(path, 0), len(start.data) + 1)
    return Part(start.data[piece.offset :][: piece.limit], piece.offset, size)


def _cut_out(piece: Piece, first: int, data: bytes) -> Part:
    """The piece of a file, of which *data* is all from the byte *first* on."""
    size = first + len(data)
    offset = max(first, size + piece.offset if piece.offset < 0 else piece.offset)
    return Part(data[offset - first :][: piece.limit], offset, size)


def whole_of(start: Start | None) -> bytes | None:
    """All that a file holds, if that was read."""
    if start is None or start.missing or start.trouble or not start.whole:
        return None
    return start.data
