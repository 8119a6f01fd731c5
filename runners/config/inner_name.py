"""The `name` that a document tells inside, where it is to go by another name outside.

Both names change in one step, the renaming outside. Before it the document as it is to be is put beside the
one that is there, marked with the name to come. Once the document goes by that name, it is put in its place:
by whoever renames, or, should they be killed before, by whoever writes or reads next.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from json import detect_encoding
from pathlib import Path

from runners.config.errors import ConfigError
from runners.config.json_text import from_json
from runners.config.wholefile import rights_of, sync_folder, unfinished_file

_BLANK = re.compile(r"[ \t\n\r]*")

_MARK = ".renamed-"

PREPARED = f"{_MARK}*"
"""What the names of documents match that wait for a renaming, or for being put in place after it."""


def prepared_beside(path: Path, name: str) -> Path:
    """Where the document `path` as it is to be waits until it goes by `name`."""
    return path.with_name(f"{_MARK}{name}")


def prepared_for(prepared: Path) -> str:
    """The name that a prepared document is to go by."""
    return prepared.name.removeprefix(_MARK)


@contextmanager
def prepared(path: Path, name: str, new: str) -> Iterator[None]:
    """Until its end the document `path` is renamed outside, from `name` to `new`; then `settle` it.

    Where it fails nothing stays. Raises `OSError` when there is no room for what is to be put beside it.
    """
    waiting = prepared_beside(path, new)
    _prepare(path, waiting, name, new)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            waiting.unlink(missing_ok=True)
        raise


def settle(path: Path, name: str) -> None:
    """Put what was prepared for the document `path`, which goes by `name`, in its place, if it can be done.

    What was prepared for another content stays where it is: then that name was given to another document.
    """
    waiting = prepared_beside(path, name)
    with suppress(OSError):
        if waiting.read_bytes() == renamed_inside(path.read_bytes(), None, name) and not path.is_symlink():
            os.replace(waiting, path)
            sync_folder(path.parent)


def _prepare(path: Path, waiting: Path, name: str, new: str) -> None:
    # What a link leads to is not ours alone.
    if path.is_symlink() or not path.is_file():
        return
    try:
        content = path.read_bytes()
    except OSError:
        # What can't be read can be renamed all the same.
        return
    changed = renamed_inside(content, name, new)
    if changed != content:
        with unfinished_file(path, changed, *rights_of(path)) as made:
            os.replace(made, waiting)


def renamed_inside(content: bytes, name: str | None, new: str) -> bytes:
    """The content of a document with `new` for the `name` in it, where that is the name that it went by.

    A document that tells another name keeps it, unless `name` is None, and what is no JSON is left alone. Of
    the text nothing but that value changes: not the layout, nor anything that the schema does not know.
    """
    try:
        from_json(content, "")
    except ConfigError:
        return content
    encoding = detect_encoding(content)
    text = content.decode(encoding, "surrogatepass")
    begin, end, value = _name(text)
    if not isinstance(value, str) or name not in (None, value.strip()):
        return content
    changed = f"{text[:begin]}{json.dumps(new, ensure_ascii=False)}{text[end:]}"
    return changed.encode(encoding, "surrogatepass")


def _name(text: str) -> tuple[int, int, object]:
    """Where in the text of a JSON document its name begins and ends, and what it is; None for no name."""
    read = json.JSONDecoder().raw_decode
    found: tuple[int, int, object] = (0, 0, None)
    at = _behind_blanks(text, 0)
    if text[at] != "{":
        return found
    at = _behind_blanks(text, at + 1)
    while text[at] != "}":
        key, at = read(text, at)
        at = _behind_blanks(text, _behind_blanks(text, at) + len(":"))
        value, end = read(text, at)
        if key == "name":
            # Of several the last one counts, as for every reader.
            found = (at, end, value)
        at = _behind_blanks(text, end)
        if text[at] == ",":
            at = _behind_blanks(text, at + 1)
    return found


def _behind_blanks(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    assert blank is not None
    return blank.end()
