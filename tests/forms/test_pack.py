"""The conformance pack through the form: what is right can be entered, what is wrong is told at its field."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from runners.config.local import LocalRunnerConfig
from runners.config.slurm import SlurmRunnerConfig
from tests.conformance.answers import answer
from tests.conformance.test_pack import PACK, needs_pack
from tests.forms.person import CannotBeEntered, enter
from tests.forms.test_properties import paths
from tui.forms.draft import Draft
from tui.forms.spec import PROFILE_SPEC, RESOURCE_SPEC, FieldSpec, Path, spec_of

SLURM = spec_of(SlurmRunnerConfig)

OPERATIONS: dict[str, tuple[FieldSpec, str]] = {
    "resource": (RESOURCE_SPEC, "data"),
    "profile": (PROFILE_SPEC, "data"),
    "parse_local": (spec_of(LocalRunnerConfig), "config"),
    "parse_slurm": (SLURM, "config"),
    "slurm_config": (SLURM, "config"),
    "preamble": (SLURM, "config"),
}
"""The requests with a document: the form for it, and where it stands."""

Case = dict[str, Any]


def cases(*, valid: bool) -> list[Case]:
    """The pack's requests with a document that are answered with a value, or with faulty fields."""
    if not PACK.is_dir():
        return []
    found: list[Case] = []
    for file in ("vectors.jsonl", "divergences.jsonl"):
        lines = (PACK / file).read_text(encoding="utf-8").splitlines()
        found += [json.loads(line) for line in lines if line.strip()]
    return [case for case in found if case["op"] in OPERATIONS and ("ok" in case) == valid]


def document_of(case: Case) -> tuple[FieldSpec, Any]:
    """The form for a request, and its document."""
    spec, where = OPERATIONS[case["op"]]
    return spec, case["args"][where]


def known(spec: FieldSpec, document: object) -> Any:
    """The document without the keys that do not belong: a form can only remove them."""
    draft = Draft(spec, document)
    for path in paths(draft):
        if draft.spec(path).kind.strange:
            draft.clear(path)
    return draft.document


def canonical(name: str) -> str:
    """The name of a field as the pack's checker compares it."""
    name = re.sub(r"^(args\.|config\.|meta\.|data\.)+", "", name)
    name = re.sub(r"(^|\.)(extra_lines|user_local_exports)\..*$", r"\1\2", name, flags=re.DOTALL)
    return "mem" if name == "mem_per_task_MB" else name


def same_json(one: object, other: object) -> bool:
    """As the checker has it: 1 is 1.0, but not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other


def dumped(operation: str, model: BaseModel) -> object:
    """A model as the pack has it."""
    if operation == "parse_slurm":
        return {"dump": model.model_dump(), "set": model.model_dump(exclude_unset=True)}
    return model.model_dump()


@needs_pack
@pytest.mark.parametrize("case", cases(valid=True), ids=lambda case: case["id"])
def test_what_is_right_can_be_entered(case: Case) -> None:
    spec, document = document_of(case)
    draft = Draft(spec, {})
    enter(draft, known(spec, document))
    assert draft.errors == {}
    assert draft.model is not None
    if case["op"] not in ("slurm_config", "preamble"):
        assert same_json(dumped(case["op"], draft.model), case["ok"])
    # What is saved is the document: read again it is answered as the pack has it.
    where = OPERATIONS[case["op"]][1]
    saved = json.loads(json.dumps(draft.document))
    reply = json.loads(json.dumps(answer(case | {"args": case["args"] | {where: saved}})))
    assert same_json(reply.get("ok"), case["ok"]), reply


def told_at(draft: Draft, names: list[str]) -> Iterator[tuple[str, Path]]:
    """The fields of the form where these names of the pack have their place."""
    for name in names:
        yield canonical(name), draft.path_of(canonical(name))


def assert_told(draft: Draft, names: list[str]) -> None:
    """The errors of a draft stand where the pack names them, and nowhere else."""
    # The pack ends at a list of lines or at the exports: whichever item it is.
    told = {draft.path_of(canonical(draft.dotted(path))) for path in draft.errors}
    assert told == {path for _, path in told_at(draft, names)}
    for name, path in told_at(draft, names):
        shown = draft.dotted(path)
        assert name == shown or name.startswith(f"{shown}." if shown else "")
        key = name.removeprefix(shown).removeprefix(".") if name != shown else ""
        field = draft.spec(path)
        # A key that the schema does not know is a field as long as it is there; a part of a value is none.
        assert not (key and field.fields and isinstance(draft.raw(path), dict))
    assert all(draft.spec(path) is not None for path in draft.errors)


@needs_pack
@pytest.mark.parametrize("case", cases(valid=False), ids=lambda case: case["id"])
def test_what_is_wrong_is_told_at_its_field(case: Case) -> None:
    spec, document = document_of(case)
    draft = Draft(spec, {})
    draft.replace(document)
    if draft.errors:
        assert draft.model is None
        if case["error_fields"]:
            assert_told(draft, case["error_fields"])
    else:
        # The fault is the step's own (`meta`), or one of the merge.
        assert case["op"] in ("slurm_config", "preamble")
        SlurmRunnerConfig.model_validate(document)


@needs_pack
@pytest.mark.parametrize("case", cases(valid=False), ids=lambda case: case["id"])
def test_what_is_wrong_is_told_as_it_is_typed(case: Case) -> None:
    spec, document = document_of(case)
    document = known(spec, document)
    typed, pasted = Draft(spec, {}), Draft(spec, document)
    try:
        enter(typed, document)
    except CannotBeEntered as refused:
        # What no edit of the form makes is told at its field where it is pasted.
        path = pasted.path_of(pasted.dotted(refused.path))
        assert any(where[: len(path)] == path for where in pasted.errors)
    else:
        assert dict(typed.errors) == dict(pasted.errors)


@needs_pack
def test_the_pack_has_such_requests() -> None:
    right = Counter(case["op"] for case in cases(valid=True))
    wrong: Counter[str] = Counter()
    for case in cases(valid=False):
        spec, document = document_of(case)
        wrong[case["op"]] += bool(Draft(spec, document).errors)
    assert right.keys() == wrong.keys() == OPERATIONS.keys()
    assert min(right.values()) >= 10
    assert sum(wrong.values()) >= 250


def test_a_fault_of_the_checks_own_would_show() -> None:
    draft = Draft(SLURM, {"default_slurm_config": {"partitoin": "x"}})
    assert_told(draft, ["config.default_slurm_config.partitoin", "batching_config"])
    with pytest.raises(AssertionError):
        assert_told(draft, ["batching_config"])
    with pytest.raises(AssertionError):
        assert_told(draft, ["default_slurm_config", "batching_config", "gpu_slurm_config"])
    with pytest.raises(ValidationError):
        SlurmRunnerConfig.model_validate(draft.document)
