"""Errors as findings tell them: what is wrong, and what to do about it. Pure."""

from __future__ import annotations

from runners.config.errors import shown
from runners.transport.base import TransportError


def told_by(error: TransportError | str) -> tuple[str, str]:
    """What an error says is wrong, and what it says is to be done, as two sentences.

    Our errors say first the one, then, after a semicolon, the other.
    """
    what, _, to_do = str(error).partition("; ")
    return sentence(what), sentence(to_do)


def sentence(text: str) -> str:
    """*text* on its own; it may come from outside. Empty for nothing."""
    text = shown(text.strip())
    text = f"{text[:1].upper()}{text[1:]}"
    # What comes last after a colon can be pasted, and ends as it has to.
    return text if not text or ": " in text or text.endswith((".", "?", "!")) else f"{text}."
