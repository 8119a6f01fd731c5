"""What a person types behind `/`: words and `key:value` pairs, all of which must fit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches

from runners.states import State

Values = Mapping[str, str]
"""What a row can be asked for, by key."""


def parse(text: str, keys: Collection[str]) -> Callable[[Values], bool] | None:
    """The test that *text* means, or None where it is empty.

    `state:fail` fits rows whose state begins with `fail`; `name:seg`, or any other key of *keys*, rows where
    it holds `seg`. A word by itself fits rows where any value holds it. Capitals do not matter. What looks
    like a pair but has no known key is a word: items may hold colons.
    """
    tests = list(_tests(text, keys))
    if not tests:
        return None

    def fits(values: Values) -> bool:
        return all(_fits(values, key, wanted) for key, wanted in tests)

    return fits


def none_fits(what: str, text: str, keys: Collection[str], states: Collection[str] = tuple(State)) -> str:
    """What is said in place of a list of *what* that *text* leaves empty, in a few lines.

    *states* are those that any of *what* can be in.
    """
    doubt = _doubt(text, keys, states)
    lines = [f"No {what} fits the filter.", doubt, "/ changes it, esc shows all again."]
    return "\n".join(line for line in lines if line)


def _doubt(text: str, keys: Collection[str], states: Collection[str]) -> str:
    """What in *text* can hardly be meant as it stands, in a sentence; empty where there is nothing."""
    for key, wanted in _tests(text, keys):
        if key == "state" and not any(state.startswith(wanted) for state in states):
            return f"There is no state {wanted!r}: there are {', '.join(states)}."
        word, colon, _ = wanted.partition(":")
        if key is None and colon and word.isidentifier():
            close = get_close_matches(word, keys, n=1, cutoff=0.7)
            hint = f"did you mean {close[0]}:?" if close else f"there are {', '.join(keys)}."
            return f"Nothing is called {word!r} here: {hint}"
    return ""


def _tests(text: str, keys: Collection[str]) -> Iterator[tuple[str | None, str]]:
    """What is asked for, each with its key or None."""
    for word in text.lower().split():
        key, colon, value = word.partition(":")
        if colon and key in keys:
            if value:
                yield key, value
        else:
            yield None, word


def _fits(values: Values, key: str | None, wanted: str) -> bool:
    if key is None:
        return any(wanted in value.lower() for value in values.values())
    value = values[key].lower()
    return value.startswith(wanted) if key == "state" else wanted in value
