"""What a person types behind `/`: words and `key:value` pairs, all of which must fit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

Values = Mapping[str, str]
"""What a row can be asked for, by key."""


def parse(text: str, keys: Collection[str]) -> Callable[[Values], bool] | None:
    """The test that *text* means, or None where it is empty.

    `state:fail` fits rows whose state begins with `fail`; `name:seg`, or any other key of *keys*, rows where
    it holds `seg`. A word by itself fits rows where any value holds it. Capitals do not matter. What looks
    like a pair but has no known key is a word: items may hold colons.
    """
    tests: list[tuple[str | None, str]] = []
    for word in text.lower().split():
        key, colon, value = word.partition(":")
        if colon and key in keys:
            if value:
                tests.append((key, value))
        else:
            tests.append((None, word))
    if not tests:
        return None

    def fits(values: Values) -> bool:
        return all(_fits(values, key, wanted) for key, wanted in tests)

    return fits


def _fits(values: Values, key: str | None, wanted: str) -> bool:
    if key is None:
        return any(wanted in value.lower() for value in values.values())
    value = values[key].lower()
    return value.startswith(wanted) if key == "state" else wanted in value
