"""The items of a dataset: from patterns of file names, and from files of lines, tables and objects.

Everything here reads files and blocks: call it from a thread where there is an event loop.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from runners.config.errors import shown
from runners.globs import expand, is_pattern
from runners.workflow import Item

MOST_ITEMS = 1_000_000
"""More items than this in one run are taken for a mistake."""

_MOST_BYTES = 512_000_000
"""Of a file of items."""

_SHOWN = 200
"""Bytes of an item that is at fault."""


class DatasetError(ValueError):
    """The items can't be had; the text is one sentence for a person."""


class Form(StrEnum):
    """How a file holds items."""

    LINES = "lines"
    NULS = "nuls"
    """Items ended by NUL characters, as `find -print0` writes them."""
    CSV = "csv"
    """A table: its first line names the columns."""
    JSON_LINES = "json lines"
    """An object, or just a string, in every line."""

    @classmethod
    def of(cls, name: str, *, nuls: bool = False) -> Form:
        """The form of the file with this name: the ending tells, `nuls` goes before it."""
        if nuls:
            return cls.NULS
        ending = os.path.splitext(name)[1].lower()
        return {".csv": cls.CSV, ".jsonl": cls.JSON_LINES, ".ndjson": cls.JSON_LINES}.get(ending, cls.LINES)


def items_from_globs(patterns: Sequence[str], folder: Path) -> list[Item]:
    """The files that *patterns* match, each once; relative ones are looked for in *folder*.

    Patterns keep their order, and the matches of each are sorted. A word that is the name of a file is that
    file, also when it could be read as a pattern.

    Raises:
        DatasetError: a pattern matches nothing, a file does not exist, or there are too many.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        found.update(dict.fromkeys(_expanded(pattern, str(folder))))
        if len(found) > MOST_ITEMS:
            raise _too_many()
    for number, value in enumerate(found, start=1):
        if (why := _unusable(value)) is not None:
            raise DatasetError(
                f"File {number:,} of {len(found):,}, {value!r}, can't be an item: {why}; "
                "rename it, or leave it out."
            )
    return [Item(value=value) for value in found]


def items_from_file(path: Path, *, nuls: bool = False) -> list[Item]:
    """The items in a file, whose name tells its form.

    Raises:
        DatasetError: it can't be read, is not in its form, or holds no items or too many.
    """
    try:
        with path.open("rb") as file:
            return items_from_stream(file, shown(path), Form.of(path.name, nuls=nuls))
    except OSError as error:
        raise DatasetError(f"Cannot read the items in {shown(path)} ({error.strerror or error}).") from error


def items_from_stream(file: BinaryIO, where: str, form: Form) -> list[Item]:
    """The items that *file* holds; *where* names it in sentences.

    Raises:
        DatasetError: it is not in its form, or holds no items or too many.
        OSError: it can't be read.
    """
    data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise DatasetError(f"{where} is larger than {_MOST_BYTES // 1_000_000} MB: these can't be items.")
    if form is not Form.NULS and (at := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, at) + 1
        raise DatasetError(
            f"{where}, line {line}: a NUL character can't be in an item; --null reads items that NULs end."
        )
    text = _decoded(data, where, form)
    numbered = {
        Form.LINES: _lines,
        Form.NULS: _nuls,
        Form.CSV: _table,
        Form.JSON_LINES: _json_lines,
    }[form](text, where)
    items = list(_limited(numbered))
    if not items:
        raise DatasetError(f"{where} holds no items.")
    return items


def columns_of(items: Iterable[Item]) -> frozenset[str]:
    """The columns that any of *items* has."""
    return frozenset(column for item in items if item.fields for column in item.fields)


def _expanded(pattern: str, folder: str) -> list[str]:
    if not pattern:
        raise DatasetError("An item can't be empty: an empty word was given among the items.")
    if os.path.lexists(os.path.join(folder, pattern)):
        return [pattern]
    # A shell would have done it; forms have no shell before them.
    pattern = os.path.expanduser(pattern)
    if is_pattern(pattern):
        found = sorted(set(expand(pattern, folder)))
        if not found:
            raise DatasetError(f"No file matches {pattern!r} in {shown(folder)}.")
        return found
    if not os.path.lexists(os.path.join(folder, pattern)):
        raise DatasetError(
            f"There is no file {pattern!r} in {shown(folder)}; a command goes behind --, and items that are "
            "no files come from a list, with --items-from FILE (or - for standard input)."
        )
    return [pattern]


def _decoded(data: bytes, where: str, form: Form) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        unit, end = ("item", b"\0") if form is Form.NULS else ("line", b"\n")
        begin = data.rfind(end, 0, error.start) + 1
        number = data.count(end, 0, begin) + 1
        told = repr(data[begin:].split(end, 1)[0][:_SHOWN])[1:]
        raise DatasetError(
            f"{where}, {unit} {number:,}: {told} is not UTF-8 text (byte 0x{data[error.start]:02x}); "
            "save the list as UTF-8, or rename the file that is called so."
        ) from error


def _limited(items: Iterable[Item]) -> Iterator[Item]:
    for number, item in enumerate(items, start=1):
        if number > MOST_ITEMS:
            raise _too_many()
        yield item


def _too_many() -> DatasetError:
    return DatasetError(f"There are more than {MOST_ITEMS:,} items: divide them over several runs.")


def _lines(text: str, where: str) -> Iterator[Item]:
    # Not splitlines(), which also cuts at form feeds and the like.
    for line in text.split("\n"):
        if value := line.removesuffix("\r"):
            yield Item(value=value)


def _nuls(text: str, where: str) -> Iterator[Item]:
    for value in text.split("\0"):
        if value:
            yield Item(value=value)


def _table(text: str, where: str) -> Iterator[Item]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for row in rows:
            if not row:
                continue
            if header is None:
                header = _header(row, f"{where}, line {rows.line_num}")
            elif len(row) != len(header):
                raise DatasetError(
                    f"{where}, line {rows.line_num}: it has {_count(len(row), 'field')}, "
                    f"but the header names {_count(len(header), 'column')}."
                )
            else:
                yield _from_fields(dict(zip(header, row, strict=True)))
    except csv.Error as error:
        raise DatasetError(f"{where}, line {rows.line_num}: this is not CSV ({error}).") from error


def _header(row: list[str], where: str) -> list[str]:
    names = [name.strip() for name in row]
    for number, name in enumerate(names, start=1):
        if not name:
            raise DatasetError(f"{where}: column {number} has no name.")
        if name in names[: number - 1]:
            raise DatasetError(f"{where}: two columns are named {name!r}.")
    return names


def _json_lines(text: str, where: str) -> Iterator[Item]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        at = f"{where}, line {number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = (
                error.msg if isinstance(error, json.JSONDecodeError) else "a value is too long or too deep"
            )
            raise DatasetError(f"{at}: this is not JSON ({reason}).") from error
        if isinstance(value, str) and value:
            fields = None
            parts = [value]
        elif isinstance(value, dict) and value:
            fields = {name: _as_text(field) for name, field in value.items()}
            parts = [*fields, *fields.values()]
        else:
            raise DatasetError(
                f"{at}: an item is an object with at least one key, or a string that is not empty."
            )
        for part in parts:
            if (why := _unusable(part)) is not None:
                raise DatasetError(f"{at}: {part!r} can't be handed to a command: {why}.")
        yield _from_fields(fields) if fields else Item(value=value)


def _from_fields(fields: dict[str, str]) -> Item:
    """A row of a table, which goes by its column `item`, or else by its first column."""
    return Item(value=fields.get("item", next(iter(fields.values()))), fields=fields)


def _as_text(value: object) -> str:
    """A value of an object as a command gets it: text as it is, null as nothing, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unusable(text: str) -> str | None:
    """Why *text* can't be an argument of a command, or None."""
    if "\0" in text:
        return "it holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode (for a file name: not UTF-8)"
    return None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
