"""Fields are read off the models: also off one that has a field more than ours."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from runners.config.profile import PROFILE_TYPES
from runners.config.resource import PYTHON_VERSIONS, RESOURCE_TYPES
from runners.config.slurm import SlurmTaskConfig
from runners.config.types import AbsolutePath, Count, Hint, Line, Memory, Seconds, Text, TimeLimit
from tui.forms.draft import Draft
from tui.forms.spec import PROFILE_SPEC, RESOURCE_SPEC, FieldSpec, Kind, spec_of


class More(SlurmTaskConfig):
    """The settings of a task, and some that the schema may have one day."""

    grace: Annotated[Seconds, Field(description="Seconds to wait. Default: 30.")] = 30
    scratch: Annotated[Memory | None, Field(description="Memory of the scratch disk.")] = None
    wake: Annotated[TimeLimit | None, Field(description="When to wake.")] = None
    folder: Annotated[AbsolutePath, Field(description="Where to. Required.")]
    policy: Annotated[Literal["keep", "drop"], Field(description="What with the rest.")] = "keep"
    shell: Annotated[str, Hint(names=("sh", "bash")), Field(description="Which shell.")] = "sh"
    strict: bool = True
    ports: Annotated[list[Count], Field(description="Ports.", default_factory=list)]
    limits: Annotated[dict[Text, Memory], Field(description="Limits.", default_factory=dict)]


def field(of: FieldSpec, *names: str) -> FieldSpec:
    for name in names:
        found = of.field(name)
        assert found is not None, name
        of = found
    return of


def walk(of: FieldSpec) -> list[FieldSpec]:
    parts = [*of.fields, *of.variants.values(), *([of.item] if of.item else [])]
    return [of, *(below for part in parts for below in walk(part))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("grace", FieldSpec("grace", Kind.INTEGER, "Seconds to wait. Default: 30.", False, 30, False, "s")),
        (
            "scratch",
            FieldSpec("scratch", Kind.MEMORY, "Memory of the scratch disk.", False, None, True, "MB"),
        ),
        ("wake", FieldSpec("wake", Kind.TIME, "When to wake.", False, None, True)),
        ("folder", FieldSpec("folder", Kind.PATH, "Where to. Required.", True, None, False)),
        (
            "policy",
            FieldSpec(
                "policy", Kind.CHOICE, "What with the rest.", False, "keep", False, choices=("keep", "drop")
            ),
        ),
        (
            "shell",
            FieldSpec("shell", Kind.CHOICE, "Which shell.", False, "sh", False, choices=("sh", "bash")),
        ),
        ("strict", FieldSpec("strict", Kind.BOOL, "", False, True, False)),
        (
            "ports",
            FieldSpec(
                "ports",
                Kind.LIST,
                "Ports.",
                False,
                [],
                False,
                item=FieldSpec("", Kind.INTEGER, "", False, None, False),
            ),
        ),
        (
            "limits",
            FieldSpec(
                "limits",
                Kind.MAP,
                "Limits.",
                False,
                {},
                False,
                item=FieldSpec("", Kind.MEMORY, "", False, None, False, "MB"),
            ),
        ),
    ],
)
def test_a_field_that_is_added_to_a_schema_is_in_the_form(name: str, expected: FieldSpec) -> None:
    assert field(spec_of(More), name) == expected


def test_what_is_added_is_edited_and_told_as_the_rest() -> None:
    draft = Draft(spec_of(More), {"folder": "/a"})
    draft.type(("scratch",), "3G")
    draft.type(("grace",), "-1")
    draft.type(draft.add(("ports",)), "x")
    assert draft.echo(("scratch",)) == "3,000 MB"
    assert draft.errors == {("grace",): "must be 0 or more", ("ports", 0): "must be a whole number"}


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_resources_have_every_field_of_their_schema_and_no_other(kind: str) -> None:
    group = RESOURCE_SPEC.variants[kind]
    assert [found.name for found in group.fields] == list(RESOURCE_TYPES[kind].model_fields)


@pytest.mark.parametrize("kind", PROFILE_TYPES)
def test_profiles_have_every_field_of_their_schema_and_no_other(kind: str) -> None:
    group = PROFILE_SPEC.variants[kind]
    assert [found.name for found in group.fields] == list(PROFILE_TYPES[kind].model_fields)
    assert field(group, "resource_type").choices == tuple(PROFILE_TYPES)


def test_every_field_that_is_shown_explains_itself() -> None:
    shown = [found for found in walk(RESOURCE_SPEC) + walk(PROFILE_SPEC) if found.name]
    assert [found.name for found in shown if not found.about] == []


def test_hints_of_the_schema() -> None:
    group = RESOURCE_SPEC.variants["slurm_ssh"]
    assert field(group, "jobs_poll_interval").unit == "s"
    assert field(group, "jobs_runner_config", "batching_config", "max_mem_per_job").unit == "MB"
    assert field(group, "tasks_python_config", "versions").keys == PYTHON_VERSIONS
    assert field(group, "tasks_pixi_config", "versions").keys == ()
    pixi = field(group, "tasks_pixi_config")
    assert (pixi.kind, pixi.nullable, pixi.none) == (Kind.GROUP, True, {})
    gpu = field(group, "jobs_runner_config", "gpu_slurm_config")
    assert (gpu.kind, gpu.nullable, gpu.none, gpu.required) == (Kind.GROUP, True, None, False)
    assert field(RESOURCE_SPEC.variants["local"], "host").kind is Kind.NOTHING


def test_only_a_text_that_may_be_empty_is_blank() -> None:
    blank = {found.name for found in walk(RESOURCE_SPEC) if found.blank}
    assert blank == {"shebang_line"}


class Cat(BaseModel):
    sound: Literal["meow"]
    lives: Annotated[Count, Field(description="How many lives it has left.")]


class Dog(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sound: Literal["woof"]
    trick: Text | None = None


class House(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="sound", description="Who lives there.")]
    guests: list[Annotated[Line, Field(max_length=3)] | Count] = []


def test_a_union_within_a_model_is_a_group_of_the_variant() -> None:
    draft = Draft(spec_of(House), {"pet": {"sound": "meow", "lives": 0}})
    assert draft.spec(("pet",)).name == "pet"
    assert draft.spec(("pet",)).about == "Who lives there."
    assert [found.name for found in draft.fields(("pet",))] == ["sound", "lives"]
    assert draft.spec(("pet", "sound")).choices == ("meow", "woof")
    assert draft.errors == {("pet", "lives"): "must be 1 or more"}
    draft.put(("pet", "sound"), "woof")
    assert [found.name for found in draft.fields(("pet",))] == ["sound", "trick"]
    assert draft.document == {"pet": {"sound": "woof"}}
    assert draft.errors == {}


def test_wrappers_and_members_of_a_union_are_not_seen() -> None:
    draft = Draft(spec_of(House), {"pet": {"sound": "moo"}, "guests": ["x", 1, {}]})
    assert draft.errors == {
        ("pet", "sound"): "must be one of meow, woof",
        ("guests", 2): "must be text; must be a whole number",
    }


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Visit(BaseModel):
    level: Annotated[Level, Field(description="How loud.")] = Level.LOW
    nights: Literal[1, 2, None] = None
    stays: Annotated[int, Field(alias="how-long")] = 1
    at_night: Annotated[Cat | Dog, Field(discriminator="sound")] | None = None
    pets: list[Annotated[Cat | Dog, Field(discriminator="sound")]] = []
    rooms: dict[str, list[Count]] = {}


def test_choices_keep_the_types_that_they_have_in_json() -> None:
    draft = Draft(spec_of(Visit), {"level": 2})
    assert draft.spec(("level",)).choices == (1, 2) and draft.spec(("level",)).default == 1
    nights = draft.spec(("nights",))
    assert (nights.choices, nights.nullable) == ((1, 2), True)
    draft.put(("nights",), 2)
    assert draft.errors == {}


def test_a_field_goes_by_its_name_in_json() -> None:
    draft = Draft(spec_of(Visit), {})
    draft.type(("how-long",), "7")
    assert draft.document == {"how-long": 7} and draft.unknown == ()
    assert isinstance(draft.model, Visit) and draft.model.stays == 7


def test_a_union_that_may_be_none() -> None:
    draft = Draft(spec_of(Visit), {})
    path = ("at_night",)
    assert draft.spec(path).nullable and not draft.present(path)
    draft.fill(path)
    assert draft.errors == {(*path, "sound"): "must be one of meow, woof"}
    draft.put((*path, "sound"), "meow")
    assert draft.errors == {(*path, "lives"): "is missing"}
    draft.nothing(path)
    assert draft.errors == {}


def test_what_has_parts_is_typed_as_json_where_there_is_one_line_for_it() -> None:
    draft = Draft(spec_of(Visit), {})
    pet, room = draft.add(("pets",)), draft.add(("rooms",))
    for text in ('{"sound": "meow", "lives"', '{"sound": "meow", "lives": 9}'):
        draft.type(pet, text)
        assert draft.text(pet) == text
    draft.rename(room, "red")
    draft.type(room, "[1, 0]")
    assert draft.document == {"pets": [{"sound": "meow", "lives": 9}], "rooms": {"red": [1, 0]}}
    assert draft.errors == {room: "1 must be 1 or more"}
    draft.type(room, "[1, 2")
    assert draft.errors == {room: "must be a list"}
    draft.type(room, "[1, 2]")
    assert draft.errors == {}


class Words(BaseModel):
    any_text: list[str] = []
    or_none: list[Text | None] = []


def test_an_item_is_none_or_empty_and_never_missing() -> None:
    draft = Draft(spec_of(Words), {})
    text, none = draft.add(("any_text",)), draft.add(("or_none",))
    assert not draft.spec(text).blank and draft.spec(none).nullable
    draft.nothing(none)
    assert draft.document == {"any_text": [""], "or_none": [None]} and draft.errors == {}
    draft.clear(none)
    draft.type(text, "x")
    draft.clear(text)
    assert draft.document == {"any_text": [""], "or_none": [""]}
