"""Errors of a JSON text, written into it as lines that begin with `#`, and taken out again.

No line of JSON begins like that, and none can: a text in it has no line breaks.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tui.text import plain

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
"""Not splitlines(), to which some characters that a text of JSON may hold are line breaks too."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def unmarked(text: str) -> str:
    """The text without the lines that begin with `#`."""
    return "".join(line for line in _LINE.findall(text) if not line.lstrip().startswith("#"))


def marked(text: str, head: Sequence[str], faults: Iterable[tuple[str, str]]) -> str:
    """*text* with `head` above it, and each fault, a `(dotted path, message)`, below the line of its field.

    What has no line (a field that is missing) is told below that of the group it would be in. A text that is
    no JSON is marked where reading it failed.
    """
    lines = _LINE.findall(text)
    below: dict[int, list[str]] = {}
    if (broken := breaks_at(text)) is not None:
        line, column, reason = broken
        below[line - 1] = [f"{reason}, in column {column}"]
    elif faults := list(faults):
        found = lines_of(text)
        for path, message in faults:
            below.setdefault(_line(found, path), []).append(f"{path or 'it'} {message.removeprefix('it ')}")
    out = [f"# {plain(line)}\n" for line in head]
    for number, line in enumerate(lines or [""]):
        out.append(line if line.endswith("\n") or not line else line + "\n")
        indent = " " * (len(line) - len(line.lstrip(" ")))
        out += [f"{indent}# ^ {plain(told)}\n" for told in below.get(number, ())]
    return "".join(out)


def breaks_at(text: str) -> tuple[int, int, str] | None:
    """The line and column, from 1 on, where a text can't be read on as JSON, and why; else None."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        # What is cut off may break behind its last line.
        return min(error.lineno, max(len(_LINE.findall(text)), 1)), error.colno, error.msg
    except (ValueError, RecursionError):
        pass
    return None


def lines_of(text: str) -> dict[str, int]:
    """The line, from 0 on, at which each field of a valid JSON text begins, by its dotted path."""
    found: dict[str, int] = {}
    for path, line in _fields(text):
        found.setdefault(".".join(path), line)
    return found


def repeated(text: str) -> list[str]:
    """The dotted paths of the fields that a valid JSON text has more than once: only one would count."""
    seen = Counter(path for path, _ in _fields(text))
    return [".".join(path) for path, times in seen.items() if times > 1]


def _fields(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each field and item of a valid JSON text, with the line at which it begins."""
    # Of each object or list around: the key of the field that we are in, None between two; or the index.
    around: list[str | int | None] = []
    lists: list[bool] = []
    line = position = 0

    for token in _TOKEN.finditer(text):
        line += text.count("\n", position, token.start())
        position = token.start()
        word = token.group()
        if word in "}]":
            around.pop()
            lists.pop()
        elif word == ",":
            last = around[-1]
            around[-1] = last + 1 if isinstance(last, int) else None
        elif word == ":":
            pass
        elif lists and not lists[-1] and around[-1] is None:
            around[-1] = str(json.loads(word))
            yield tuple(map(str, around)), line
        else:
            # The value of a key has been told with its key.
            if not lists or lists[-1]:
                yield tuple(map(str, around)), line
            if word in "{[":
                lists.append(word == "[")
                around.append(0 if word == "[" else None)


def _line(found: dict[str, int], path: str) -> int:
    """That of the field, or of the nearest one around it that is there."""
    while path and path not in found:
        path = path.rpartition(".")[0]
    return found.get(path, 0)
