"""What a typed value means, in other words: "3G" is "3,000 MB". Pure; imports no textual."""

from __future__ import annotations

from runners.config.units import format_duration, parse_duration, parse_memory
from tui.forms.spec import Kind


def meaning(kind: Kind, value: object) -> str:
    """What *value* means, where that is worth telling; else, and where it can't be read, an empty text."""
    try:
        if kind is Kind.MEMORY:
            return _memory(value)
        if kind is Kind.TIME and isinstance(value, str):
            time = format_duration(parse_duration(value))
            return "" if time == value.strip() else time
    except ValueError:
        pass
    return ""


def _memory(value: object) -> str:
    mb = parse_memory(value)
    if isinstance(value, str) and value.strip()[-1:] in ("G", "T"):
        return f"{mb:,} MB"
    # Of a number of MB, with a unit or without, only where that is exact.
    return f"{mb // 1000:,} GB" if mb >= 1000 and mb % 1000 == 0 else ""
