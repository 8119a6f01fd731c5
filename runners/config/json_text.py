"""JSON documents as text: reading one from a file, and writing one so that it reads back the same."""

from __future__ import annotations

import difflib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Final, NoReturn

from runners.config.errors import ConfigError, shown

_TOO_DEEP = "it is nested too deeply"


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = _Nothing()
"""No document at all; None would be the document `null`."""

DEEPEST: Final = 100
"""Objects and lists within each other: no configuration has ten, and what reads them goes down by calls."""


def from_json(data: bytes, where: str, *, once: bool = False) -> object:
    """The JSON document in `data`. Raises `ConfigError`, whose sentence begins with `where`.

    Of a key that an object holds twice the last one counts, as for every reader of JSON, unless that is
    refused with `once`: where people edit, the other one would be lost.
    """
    try:
        document = json.loads(data, parse_constant=_no_number, object_pairs_hook=_once if once else None)
        if not _too_deep(document):
            return document
        reason = _TOO_DEEP
    except json.JSONDecodeError as error:
        reason = f"{error.msg} in line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        reason = "its text is not UTF-8"
    except RecursionError:
        reason = _TOO_DEEP
    except _TwiceError as error:
        reason = f"the key {error} is there twice in one object"
    except _NoNumberError as error:
        reason = f"it holds {error}, which is no number of JSON"
    except ValueError:
        reason = "it holds a number that is too long"
    raise ConfigError(f"{where}: this is not valid JSON: {reason}.")


def to_json(document: object) -> bytes:
    """The text of a document, as files of ours hold it. Raises `ConfigError` for what JSON can't hold."""
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise ConfigError("It holds a number that is too large for JSON, so it was not written.") from error
    except RecursionError as error:
        raise ConfigError("It is nested too deeply, so it was not written.") from error
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half a pair of UTF-16, which JSON can hold as an escape only.
        return (json.dumps(document, indent=2) + "\n").encode()


def read_file(path: Path) -> bytes:
    """The content of a file. Raises `ConfigError` when it cannot be read, or is no ordinary file."""
    try:
        if os.path.exists(path) and not path.is_file():
            raise ConfigError(f"Cannot read {shown(path)} (it is not an ordinary file).")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"Cannot read {shown(path)} ({error.strerror or error}).") from error


def difference(old: object, new: object, name: str) -> list[str]:
    """What a change to the document `name` changes: lines of a unified diff, without line breaks.

    `NOTHING` stands for a document that is not there. Empty where both are the same. Raises `ConfigError`
    for what JSON can't hold.
    """
    before, after = ("" if each is NOTHING else to_json(each).decode() for each in (old, new))
    return text_difference(before, after, name)


def text_difference(old: str, new: str, name: str) -> list[str]:
    """As :func:`difference`, of texts: of what is no JSON, say."""
    # Not splitlines(), to which a strange character in a name is a line break too.
    before, after = (text.removesuffix("\n").split("\n") if text else [] for text in (old, new))
    # In the names, for as dates they would come behind a tab.
    names = (f"{name} (before)", f"{name} (after)")
    return list(difflib.unified_diff(before, after, *names, lineterm=""))


def _too_deep(document: object) -> bool:
    level = [document]
    for _ in range(DEEPEST + 1):
        inner = [each for each in level if isinstance(each, dict | list)]
        if not inner:
            return False
        level = [part for each in inner for part in (each.values() if isinstance(each, dict) else each)]
    return True


class _NoNumberError(ValueError):
    pass


class _TwiceError(ValueError):
    pass


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise _TwiceError(json.dumps(key))
    return found


def _no_number(word: str) -> NoReturn:
    raise _NoNumberError(word)
