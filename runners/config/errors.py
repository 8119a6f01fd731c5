"""The one error that the configuration raises: a sentence for a person, and the faulty fields for a form."""

from __future__ import annotations

from collections.abc import Iterable


class ConfigError(ValueError):
    """Something a person has configured cannot be used.

    `str()` is one sentence: what is wrong, where, and why. `fields` holds `(dotted path, message)` for every
    faulty field, so that a form can put each message beside its field; it is empty when no field is at fault
    (a folder that cannot be written, say).
    """

    def __init__(self, message: str, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.fields: list[tuple[str, str]] = list(fields)
