"""The `name` that a document tells inside, where it is to go by another name outside."""

from __future__ import annotations

import json
import re
from json import detect_encoding

from runners.config.errors import ConfigError
from runners.config.json_text import from_json

_BLANK = re.compile(r"[ \t\n\r]*")


def renamed_inside(content: bytes, name: str, new: str) -> bytes:
    """The content of a document with `new` for the `name` in it, where that is the name that it went by.

    A document that tells another name keeps it, and what is no JSON is left alone. Of the text nothing but
    that value changes: not the layout, nor anything that the schema does not know.
    """
    try:
        from_json(content, "")
    except ConfigError:
        return content
    encoding = detect_encoding(content)
    text = content.decode(encoding, "surrogatepass")
    begin, end, value = _name(text)
    if not isinstance(value, str) or value.strip() != name:
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
