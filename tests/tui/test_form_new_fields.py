"""A schema with a field more than ours, of each kind: the form asks for it, with no other change."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from textual import events

from runners.config.types import AbsolutePath, Count, Hint, Memory, Seconds, Text, TimeLimit
from tests.tui.form_stage import FormStage, form_stage
from tui.forms.spec import Path, spec_of


class Mood(StrEnum):
    CALM = "calm"
    WILD = "wild"


class Mail(BaseModel):
    by: Annotated[Literal["mail", "post"], Field(description="How it is told.")]
    address: Annotated[Text, Field(description="Whom it is told.")]


class Call(BaseModel):
    by: Annotated[Literal["call"], Field(description="How it is told.")]
    number: Annotated[Count, Field(description="Where it rings.")] = 112


class Part(BaseModel):
    grace: Annotated[Seconds, Field(description="Seconds to wait.")] = 30


class New(BaseModel):
    """A schema of the future."""

    label: Annotated[Text | None, Field(description="A label for it.")] = "blue"
    count: Annotated[Count, Field(description="How many of them.")] = 3
    ratio: Annotated[float, Field(description="Which part of it.")] = 0.5
    wait: Annotated[Seconds, Field(description="How long it waits.")] = 5
    scratch: Annotated[Memory, Field(description="Memory of the disk.")] = 100
    wake: Annotated[TimeLimit, Field(description="When it wakes.")] = "1:00"
    policy: Annotated[Literal["keep", "drop"], Field(description="What with the rest.")] = "keep"
    level: Annotated[Literal[1, 2], Field(description="How loud it is.")] = 1
    mood: Annotated[Mood, Field(description="How it feels.")] = Mood.CALM
    shell: Annotated[str, Hint(names=("sh", "bash")), Field(description="Which shell.")] = "sh"
    strict: Annotated[bool, Field(description="Whether it is.")] = False
    folder: Annotated[AbsolutePath, Field(description="Where it is.")] = "/here"


class WithGroup(New):
    part: Annotated[Part, Field(description="A part of it.")]


class WithOptional(New):
    part: Annotated[Part | None, Field(description="A part that may be.")] = None


class WithUnion(New):
    told: Annotated[Mail | Call, Field(discriminator="by", description="Who is told.")]


class WithOptionalUnion(New):
    told: Annotated[Mail | Call, Field(discriminator="by", description="Who is told.")] | None = None


class WithLists(New):
    ports: Annotated[list[Count], Field(description="The ports of it.")] = []
    limits: Annotated[dict[Text, Memory], Field(description="Its limits.")] = {}
    parts: Annotated[list[Part], Field(description="The parts of it.")] = []


def below(stage: FormStage) -> str:
    """What is said of the field in words."""
    return " ".join(stage.text.splitlines()[-5:])


@pytest.mark.parametrize(
    ("name", "about", "default", "keys", "shown", "value"),
    [
        ("label", "A label for it.", "default: blue", "red", "red", "red"),
        ("count", "How many of them.", "default: 3", "12", "12", 12),
        ("ratio", "Which part of it.", "default: 0.5", "0.25", "0.25", "0.25"),
        ("wait", "How long it waits.", "default: 5 s", "9", " s", 9),
        ("scratch", "Memory of the disk.", "default: 100 MB", "3G", "= 3,000 MB", "3G"),
        ("wake", "When it wakes.", "default: 1:00", "90m", "= 1:30:00", "90m"),
        ("policy", "What with the rest.", "● default: keep", ["right"] * 2, "● drop", "drop"),
        ("level", "How loud it is.", "● default: 1", ["left"], "● 2", 2),
        ("mood", "How it feels.", "● default: calm", ["left"], "● wild", "wild"),
        ("shell", "Which shell.", "● default: sh", ["left"], "● bash", "bash"),
        ("strict", "Whether it is.", "● default: no", ["space"], "● yes", True),
        ("folder", "Where it is.", "default: /here", "/there", "/there", "/there"),
    ],
)
async def test_a_value(
    name: str, about: str, default: str, keys: str | list[str], shown: str, value: object
) -> None:
    path = (name,)
    async with form_stage({}, spec=spec_of(New), size=(120, 30)) as stage:
        await stage.go_to(path)
        assert default in stage.line(path) and about in below(stage)
        await stage.press(*keys)
        assert shown in stage.line(path)
        assert stage.draft.document == {name: value} and type(stage.draft.raw(path)) is type(value)
        assert stage.draft.errors == {}
        await stage.press("ctrl+o")
        assert stage.draft.document == {} and default in stage.line(path)


@pytest.mark.parametrize("name", ["count", "ratio", "wait", "scratch", "folder"])
async def test_what_is_wrong_with_a_value_stands_beside_it(name: str) -> None:
    path = (name,)
    async with form_stage({}, spec=spec_of(New), size=(120, 30)) as stage:
        await stage.go_to(path)
        await stage.type("x")
        assert list(stage.draft.errors) == [path] and "✗" in stage.line(path)


async def to_section(stage: FormStage, title: str) -> None:
    """By keys alone."""
    titles = [section.title for section in stage.form.sections]
    await stage.press(*["f6"] * titles.index(title))


async def test_a_group() -> None:
    grace: Path = ("part", "grace")
    async with form_stage({"part": {}}, spec=spec_of(WithGroup)) as stage:
        await to_section(stage, "part")
        assert stage.focused == grace and "A part of it." in stage.text
        assert "default: 30 s" in stage.line(grace) and "Seconds to wait." in below(stage)
        await stage.type("-1")
        assert stage.draft.document == {"part": {"grace": -1}}
        assert list(stage.draft.errors) == [grace] and "✗" in stage.line(grace)


async def test_a_group_that_may_be_missing() -> None:
    grace: Path = ("part", "grace")
    async with form_stage({}, spec=spec_of(WithOptional)) as stage:
        await to_section(stage, "part")
        assert "not given   + add (space)" in stage.line(("part",))
        assert "A part that may be." in below(stage)
        await stage.press("space", "down")
        await stage.type("7")
        assert stage.focused == grace and stage.draft.document == {"part": {"grace": 7}}
        assert stage.draft.errors == {}


@pytest.mark.parametrize("model", [WithUnion, WithOptionalUnion])
async def test_one_of_several_groups(model: type[BaseModel]) -> None:
    by: Path = ("told", "by")
    async with form_stage({}, spec=spec_of(model)) as stage:
        await to_section(stage, "told")
        if model is WithOptionalUnion:
            assert stage.draft.errors == {}
        else:
            assert list(stage.draft.errors) == [("told",)] and "Who is told." in below(stage)
        assert "+ add (space)" in stage.line(("told",))
        await stage.press("space", "tab")
        # As long as it is not known which group it is, there is nothing else to ask for.
        assert [row.path for row in stage.rows][-1] == by == stage.focused
        assert stage.draft.errors == {by: "must be one of mail, post, call"}
        await stage.press("right", "right")
        assert "● post" in stage.line(by) and "How it is told." in below(stage)
        address: Path = ("told", "address")
        assert stage.draft.errors == {address: "is missing"}
        await stage.press("down")
        await stage.type("me")
        assert stage.focused == address and stage.draft.errors == {}
        await stage.press("up", "right")
        # The other group has fields of its own.
        assert [row.path for row in stage.rows][-1] == ("told", "number")
        assert stage.draft.document == {"told": {"by": "call"}} and stage.draft.errors == {}
        await stage.press("left")
        assert stage.draft.document == {"told": {"by": "post", "address": "me"}}
        assert "told •" in stage.text


async def test_a_list_and_a_map() -> None:
    async with form_stage({}, spec=spec_of(WithLists), size=(120, 30)) as stage:
        await stage.go_to(("ports",))
        assert "none   + add (enter)" in stage.line(("ports",)) and "The ports of it." in below(stage)
        await stage.press("enter")
        await stage.type("80")
        await stage.press("enter")
        await stage.type("0")
        assert stage.draft.document == {"ports": [80, 0]}
        assert list(stage.draft.errors) == [("ports", 1)] and "✗" in stage.line(("ports", 1))
        await stage.press("ctrl+l")
        await stage.go_to(("limits",))
        assert "Its limits." in below(stage)
        await stage.press("enter")
        await stage.type("disk")
        await stage.press("enter")
        await stage.type("2T")
        assert "= 2,000,000 MB" in stage.line(("limits", 0))
        assert stage.draft.document == {"ports": [80], "limits": {"disk": "2T"}}
        assert stage.draft.errors == {}


async def test_a_list_of_groups_is_typed_as_json() -> None:
    value: dict[str, Any] = {"parts": [{"grace": 1}, {"grace": -1}]}
    async with form_stage(value, spec=spec_of(WithLists)) as stage:
        # It has the room of a text.
        assert stage.row(("parts", 0)).long
        assert '{"grace": 1}' in stage.line(("parts", 0)) and "✗" not in stage.line(("parts", 0))
        assert "✗ grace must be 0 or more" in stage.line(("parts", 1))
        await stage.go_to(("parts", 0))
        assert "The parts of it." in below(stage) and "It is typed as JSON." in below(stage)
        await stage.go_to(("parts", 1))
        stage.app.post_message(events.Paste("\n{\n}"))
        await stage.press("end", *["backspace"] * 3)
        await stage.type("2")
        assert "✗" in stage.line(("parts", 1))
        await stage.type("}")
        assert stage.draft.document == {"parts": [{"grace": 1}, {"grace": 2}]}
        assert stage.draft.errors == {}
