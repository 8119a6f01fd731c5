"""The one error that the configuration raises: a sentence for a person, and the faulty fields for a form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails, InitErrorDetails


class ConfigError(ValueError):
    """Something a person has configured cannot be used.

    `str()` is one sentence: what is wrong, where, and why. `fields` holds `(dotted path, message)` for every
    faulty field, so that a form can put each message beside its field; a message completes a sentence that
    begins with the name of the field. The path is empty where an object as a whole is at fault, and `fields`
    is empty when nothing in a form could be (a folder that cannot be written, say).
    """

    def __init__(self, message: str, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.fields: list[tuple[str, str]] = list(fields)

    @classmethod
    def at(cls, where: str, fields: Iterable[tuple[str, str]]) -> ConfigError:
        """The faulty `fields` of `where` (a file, "the profile"), in one sentence."""
        fields = list(fields)
        told = "; ".join(f"{shown(path)} {message}".strip() for path, message in fields[:_TOLD])
        if len(fields) > _TOLD:
            told += f"; and {len(fields) - _TOLD} more"
        return cls(f"{where}: {told}.", fields)


class AbsentError(ConfigError):
    """There is no resource, or no profile, of that name."""


def shown(text: object) -> str:
    """A name or path from outside as a sentence may show it: with escapes where it is not printable."""
    text = str(text)
    return text if text.isprintable() else repr(text)


KEY = "[key]"
"""In a location: the key before it is at fault, not what it stands for."""


def faulty_fields(error: ValidationError) -> list[tuple[str, str]]:
    """The `(dotted path, message)` of every fault that pydantic found, in our words."""
    # A model is not a discriminated union here, so a location holds field names, keys and indices only.
    return [
        (".".join(str(part) for part in location if part != KEY), message)
        for location, message in located_faults(error)
    ]


def located_faults(error: ValidationError) -> list[tuple[tuple[str | int, ...], str]]:
    """The `(location, message)` of every fault, as pydantic locates it: names, keys, indices and `KEY`."""
    return [(fault["loc"], _message(fault)) for fault in error.errors(include_url=False, include_input=False)]


def fault(fields: Iterable[tuple[str, str]]) -> ValidationError:
    """What a model's validator raises to blame its own `(field, message)`s instead of the whole object."""
    # Here, so that commands that only look at runs start without pydantic.
    from pydantic import ValidationError
    from pydantic_core import PydanticCustomError

    details: list[InitErrorDetails] = [
        {
            "type": PydanticCustomError("fault", "{message}", {"message": message}),
            "loc": (field,),
            "input": None,
        }
        for field, message in fields
    ]
    return ValidationError.from_exception_data("fault", details)


_TOLD = 3

_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "none_required": "must be null or absent for this type",
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode text",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    # Of lists, of which every one that has a least length must hold something.
    "too_short": "must not be empty",
    "list_type": "must be a list",
    "dict_type": "must be an object (names with values)",
    "model_type": "must be an object (names with values)",
    "model_attributes_type": "must be an object (names with values)",
    "value_error": "{error}",
}


def _message(fault: ErrorDetails) -> str:
    context: dict[str, Any] = fault.get("ctx", {})
    template = _MESSAGES.get(fault["type"])
    return template.format_map(context) if template else fault["msg"]
