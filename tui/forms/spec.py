"""What a form has to ask for, read off the models of the schema: one `FieldSpec` a field. Imports no textual.

Everything comes from the models' own fields (annotation, metadata, default, description; `Hint` in
`runners.config.types`), so a field that is added to a schema is in the form with no other change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import MinLen
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from runners.config.profile import PROFILE_TYPES
from runners.config.resource import RESOURCE_TYPES
from runners.config.types import Hint

Path = tuple[str | int, ...]
"""Where a field is: names of fields, and the index of an item of a list or a row of a map."""


class Kind(StrEnum):
    """How a field is asked for."""

    TEXT = "text"
    INTEGER = "integer"
    MEMORY = "memory"
    TIME = "time"
    """A text for SLURM; that it is a time is for the echo alone."""
    PATH = "path"
    CHOICE = "choice"
    BOOL = "bool"
    GROUP = "group"
    LIST = "list"
    MAP = "map"
    JSON = "json"
    """What has parts of its own, but is an item of a list or a value of a map: it is typed in their line."""
    UNION = "union"
    """A group whose fields depend on the value of one of them, its tag."""
    NOTHING = "nothing"
    """It must be null or absent: it is shown only where it is neither."""
    STRANGER = "stranger"
    """A key that the schema does not know."""

    @property
    def strange(self) -> bool:
        """What does not belong where it is: it can only be removed."""
        return self in (Kind.NOTHING, Kind.STRANGER)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a form, an item of a list, or a value of a map."""

    name: str
    """The key in JSON, and the label."""
    kind: Kind
    about: str
    """The schema's description."""
    required: bool
    default: object
    """The JSON value that holds where nothing is given; None where there is none."""
    nullable: bool
    """It may be said that there is none: with `none`, which is null but for a few groups."""
    unit: str = ""
    choices: tuple[str | int, ...] = ()
    """All JSON values that it may have, where they are known."""
    fields: tuple[FieldSpec, ...] = ()
    """Of a group."""
    item: FieldSpec | None = None
    """What a list holds; of a map, its values."""
    keys: tuple[str, ...] = ()
    """The only keys that a map may have; empty where it may have any."""
    none: object = None
    """What stands for "none" in an optional group: null, or `{}`."""
    tag: str = ""
    """Of a union: the field that tells the variants apart."""
    variants: Mapping[str, FieldSpec] = field(default_factory=dict)
    """Of a union: its groups, by the value of the tag."""
    blank: bool = False
    """The empty text is a value of its own here, another one than none given."""
    model: type[BaseModel] | None = None
    """What a group is made from."""

    @property
    def empty_is_none(self) -> bool:
        """An optional group for which `{}` says that there is none."""
        return self.none is not None

    @property
    def closed(self) -> bool:
        """A group that refuses keys it does not know; others drop them."""
        return self.model is not None and self.model.model_config.get("extra") == "forbid"

    def field(self, name: object) -> FieldSpec | None:
        """The field of a group by its name."""
        return next((found for found in self.fields if found.name == name), None)

    def variant(self, value: object) -> FieldSpec:
        """The group that applies to *value*: the field itself, or of a union the variant that its tag names.

        Where the tag names none, a group of the tag alone.
        """
        if self.kind is not Kind.UNION:
            return self
        tag = value.get(self.tag) if isinstance(value, dict) else None
        if isinstance(tag, str) and tag in self.variants:
            found = self.variants[tag]
            return (
                replace(self, kind=Kind.GROUP, fields=found.fields, model=found.model) if self.name else found
            )
        of_tag = next(each for group in self.variants.values() if (each := group.field(self.tag)))
        return replace(self, kind=Kind.GROUP, fields=(of_tag,))


def spec_of(model: type[BaseModel], name: str = "", about: str = "") -> FieldSpec:
    """The group of a model's fields, in the order of the model."""
    # In JSON a field goes by its alias, if it has one.
    fields = tuple(_of_field(info.alias or key, info) for key, info in model.model_fields.items())
    about = about or (model.__doc__ or "").strip()
    return FieldSpec(name, Kind.GROUP, about, False, None, False, fields=fields, model=model)


def union_of(models: Mapping[str, type[BaseModel]], tag: str, name: str = "", about: str = "") -> FieldSpec:
    """A union of models, by the value that its field *tag* has in each."""
    variants = {value: _with_choices(spec_of(model), tag, tuple(models)) for value, model in models.items()}
    return FieldSpec(name, Kind.UNION, about, True, None, False, tag=tag, variants=variants)


def _with_choices(group: FieldSpec, tag: str, choices: tuple[str, ...]) -> FieldSpec:
    fields = tuple(
        replace(found, choices=choices, kind=Kind.CHOICE) if found.name == tag else found
        for found in group.fields
    )
    return replace(group, fields=fields)


def _of_field(name: str, info: FieldInfo) -> FieldSpec:
    required = info.is_required()
    default = None if required else to_jsonable_python(info.get_default(call_default_factory=True))
    about = info.description or ""
    found = _of(info.annotation, [info], name, about)
    return replace(found, required=required, default=default)


def _of(annotation: Any, metadata: Sequence[object], name: str = "", about: str = "") -> FieldSpec:
    annotation, metadata, nullable = _unwrapped(annotation, list(metadata))
    hints = [extra for extra in _flat(metadata) if isinstance(extra, Hint)]
    empty_is_none = any(hint.empty_is_none for hint in hints)
    found = _bare(annotation, metadata, name, about)
    choices = found.choices or next((hint.names for hint in hints if hint.names), ())
    kind = Kind.CHOICE if choices else found.kind
    return replace(
        found,
        kind=next((Kind(hint.kind) for hint in hints if hint.kind), kind),
        unit=next((hint.unit for hint in hints if hint.unit), ""),
        choices=choices,
        nullable=nullable or found.nullable,
        none={} if empty_is_none else None,
        blank=found.blank and not choices,
    )


def _bare(annotation: Any, metadata: Sequence[object], name: str, about: str) -> FieldSpec:
    """Of an annotation without its wrappers; that it may be null, and the hints, come after."""

    def plain(kind: Kind, *, nullable: bool = False, **more: Any) -> FieldSpec:
        return FieldSpec(name, kind, about, False, None, nullable, **more)

    origin, args, tag = get_origin(annotation), get_args(annotation), _discriminator(metadata)
    if annotation is NoneType:
        return plain(Kind.NOTHING, nullable=True)
    if origin is Literal:
        return plain(Kind.CHOICE, choices=_values(args), nullable=None in args)
    if origin in (Union, UnionType) and tag:
        models = {str(value): model for model in args for value in _tags(model, tag)}
        return union_of(models, args[0].model_fields[tag].alias or tag, name, about)
    if origin in (list, tuple, set, frozenset, Sequence):
        return plain(Kind.LIST, item=_item(args[0]))
    if origin in (dict, Mapping):
        return plain(Kind.MAP, item=_item(args[1]), keys=tuple(map(str, _of(args[0], ()).choices)))
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            return spec_of(annotation, name, about)
        if issubclass(annotation, Enum):
            return plain(Kind.CHOICE, choices=_values(annotation))
        if issubclass(annotation, bool):
            return plain(Kind.BOOL)
        if issubclass(annotation, int):
            return plain(Kind.INTEGER)
        if issubclass(annotation, PurePath):
            return plain(Kind.PATH)
    # Anything else is typed as a text, which pydantic reads.
    return plain(Kind.TEXT, blank=annotation is str and not any(map(_asks_for_text, _flat(metadata))))


def _unwrapped(annotation: Any, metadata: list[object]) -> tuple[Any, list[object], bool]:
    """The type behind `Annotated` and `| None`, what is said of it, and whether it may be null."""
    nullable = False
    while True:
        origin, args = get_origin(annotation), get_args(annotation)
        others = [arg for arg in args if arg is not NoneType]
        if origin is Annotated:
            metadata += args[1:]
            annotation = args[0]
        elif origin in (Union, UnionType) and len(others) < len(args):
            nullable = True
            annotation = others[0] if len(others) == 1 else Union[tuple(others)]  # noqa: UP007
        else:
            return annotation, metadata, nullable


def _flat(metadata: Sequence[object]) -> Iterator[object]:
    for extra in metadata:
        yield extra
        if isinstance(extra, FieldInfo):
            yield from _flat(extra.metadata)


def _asks_for_text(extra: object) -> bool:
    return isinstance(extra, (StringConstraints, MinLen)) and bool(extra.min_length)


def _item(annotation: Any) -> FieldSpec:
    """What a list or a map holds. It has one line, and no fields below."""
    found = _of(annotation, ())
    if found.kind in (Kind.GROUP, Kind.UNION, Kind.LIST, Kind.MAP):
        return FieldSpec("", Kind.JSON, found.about, False, None, found.nullable)
    # An item that is there says something: the empty text, if nothing else.
    return replace(found, blank=False)


def _values(members: Iterable[object]) -> tuple[str | int, ...]:
    """Members of an enumeration or a `Literal` as JSON has them, null apart."""
    values = (member.value if isinstance(member, Enum) else member for member in members)
    return tuple(value if isinstance(value, int) else str(value) for value in values if value is not None)


def _discriminator(metadata: Sequence[object]) -> str:
    """The field that tells the members of a union apart; "" where none does."""
    found = (extra.discriminator for extra in _flat(metadata) if isinstance(extra, FieldInfo))
    return next((name for name in found if isinstance(name, str)), "")


def _tags(model: type[BaseModel], tag: str) -> tuple[str | int, ...]:
    """What a variant of a union may have in its tag."""
    return _values(get_args(model.model_fields[tag].annotation))


RESOURCE_SPEC: Final = union_of(RESOURCE_TYPES, "type")
PROFILE_SPEC: Final = union_of(PROFILE_TYPES, "resource_type")
