"""What holds for any edits and any document."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from runners.config.errors import ConfigError
from runners.config.resource import parse_resource
from runners.config.types import Text
from tests.forms.documents import cluster, here
from tui.forms.draft import Draft
from tui.forms.spec import RESOURCE_SPEC, FieldSpec, Kind, Path, spec_of


class Mail(BaseModel):
    by: Literal["mail", "x"]
    address: Text


class Call(BaseModel):
    by: Literal["local"]
    number: Annotated[int, Field(alias="3.11")] = 3


class Every(BaseModel):
    """What our own schemas don't have."""

    model_config = ConfigDict(extra="forbid")

    told: Annotated[Mail | Call, Field(discriminator="by")]
    host: Annotated[Mail | Call, Field(discriminator="by")] | None = None
    level: Literal[1, 2, None] = None
    words: list[str | None] = []
    parts: list[Call] | None = None
    rooms: dict[str, list[int]] = {}


BEGINNINGS: list[tuple[FieldSpec, object]] = [
    (RESOURCE_SPEC, cluster()),
    (RESOURCE_SPEC, here()),
    (spec_of(Every), {"told": {"by": "mail", "address": "a"}, "parts": [{"by": "local"}]}),
]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 70_000)
    | st.sampled_from(
        ["", "x", "3G", " 4 ", "/a", "3.12", "local", "slurm_ssh", "slurm_sudo", "#SBATCH -A x"]
    )
    | st.floats()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["", "x", "3.12", "mem", "type", "host", "3.11"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
TEXTS = st.sampled_from(["", "3", "3G", "x", "/abs/path", "3.12", "CACHE", "\x00", "local"])

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def paths(draft: Draft, path: Path = ()) -> list[Path]:
    """Every field, item and row of the form."""
    field = draft.spec(path)
    if field.fields:
        below = [*((*path, found.name) for found in draft.fields(path)), *draft.strangers(path)]
    else:
        below = [(*path, index) for index in range(draft.size(path))] if field.item else []
    return [path, *(found for part in below for found in paths(draft, part))]


def edit(draft: Draft, data: st.DataObject) -> None:
    """Any edit that a form could make."""
    path = data.draw(st.sampled_from(paths(draft)), "path")
    field = draft.spec(path)
    if not path:
        data.draw(st.sampled_from([draft.reset, draft.settle]), "edit")()
        return
    if field.kind.strange:
        draft.clear(path)
        return
    edits = ["put", "clear", "nothing", "reset"] if isinstance(path[-1], str) else ["remove", "move", "put"]
    if isinstance(path[-1], int) and draft.spec(path[:-1]).kind is Kind.MAP:
        edits.append("rename")
    edits += ["fill"] if field.fields else ["add", "fill"] if field.item else ["type", "type"]
    match data.draw(st.sampled_from(edits), "edit"):
        case "put":
            draft.put(path, data.draw(VALUES))
        case "clear":
            draft.clear(path)
        case "nothing":
            draft.nothing(path)
        case "reset":
            draft.reset(path)
        case "remove":
            draft.remove(path)
        case "move":
            draft.move(path, data.draw(st.integers(-3, 3)))
        case "rename":
            draft.rename(path, data.draw(TEXTS))
        case "fill":
            draft.fill(path)
        case "add":
            draft.add(path, data.draw(st.none() | st.integers(0, 3)))
        case "type":
            draft.type(path, data.draw(TEXTS))


def written(draft: Draft) -> str:
    return json.dumps(draft.document)


@quick
@given(st.data())
def test_undo_restores_all_and_redo_makes_it_again(data: st.DataObject) -> None:
    draft = Draft(*data.draw(st.sampled_from([*BEGINNINGS, (RESOURCE_SPEC, {})])))
    first = written(draft)
    for _ in range(data.draw(st.integers(1, 12))):
        edit(draft, data)
    last, errors = written(draft), dict(draft.errors)
    while draft.undo() is not None:
        pass
    assert written(draft) == first
    while draft.redo() is not None:
        pass
    assert (written(draft), dict(draft.errors)) == (last, errors)


@quick
@given(st.data())
def test_every_error_stands_at_a_field_that_is_shown(data: st.DataObject) -> None:
    draft = Draft(*data.draw(st.sampled_from(BEGINNINGS)))
    for _ in range(data.draw(st.integers(1, 8))):
        edit(draft, data)
    shown = set(paths(draft))
    assert set(draft.errors) <= shown
    assert (draft.model is None) == bool(draft.errors)
    for path in shown:
        # Each can be drawn.
        assert isinstance(draft.text(path) + draft.echo(path) + draft.dotted(path), str)
        assert draft.path_of(draft.dotted(path)) in shown


def mutated(data: st.DataObject) -> Any:
    """A resource with something else in some of its places."""
    document: Any = data.draw(st.sampled_from([cluster(), here()]))
    for _ in range(data.draw(st.integers(0, 3))):
        place = document
        while True:
            key = data.draw(
                st.sampled_from([*place, "new"] if isinstance(place, dict) else range(len(place)))
            )
            inner = place[key] if key != "new" else None
            if not (isinstance(inner, (dict, list)) and inner) or data.draw(st.booleans()):
                break
            place = inner
        place[key] = data.draw(VALUES)
    return document


@quick
@given(st.data())
def test_a_document_is_kept_and_judged_as_when_it_is_read(data: st.DataObject) -> None:
    document = mutated(data)
    before = json.dumps(document, sort_keys=True)
    draft = Draft(RESOURCE_SPEC, document)
    assert json.dumps(draft.document, sort_keys=True) == before
    assert written(Draft(RESOURCE_SPEC, json.loads(written(draft)))) == written(draft)
    try:
        parse_resource(document)
    except ConfigError as error:
        faulty = {draft.path_of(name) for name, _ in error.fields}
        # A key's fault and an unknown key have no field of their own.
        assert set(draft.errors) == faulty
    else:
        assert draft.errors == {}


@quick
@given(VALUES)
def test_anything_can_be_edited(document: object) -> None:
    draft = Draft(RESOURCE_SPEC, document)
    assert draft.errors
    draft.put(("type",), "local")
    draft.type(("name",), "x")
    assert draft.document["name"] == "x"
