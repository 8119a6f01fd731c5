"""The course of a preflight: order, limits, faults, and what is left out after a failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing

import pytest

from runners.checking.course import FAILURE_STOPS, UNTOLD_STOPS, Look, Stage, findings_of, not_looked_at
from runners.findings import REST, Finding, FindingState

OK, WARNING, FAILURE, UNTOLD = FindingState


def told(*findings: tuple[str, FindingState]) -> Callable[[], AsyncIterator[Finding]]:
    """A look that tells these."""

    async def tell() -> AsyncIterator[Finding]:
        for check, state in findings:
            await asyncio.sleep(0)
            yield Finding(check, state, "It is so.", "" if state is OK else "Mend it.")

    return tell


def look(*findings: tuple[str, FindingState], stops: Collection[FindingState] = ()) -> Look:
    return Look(tuple(check for check, _ in findings), told(*findings), 10.0, stops)


async def all_of(*stages: Stage, whole_s: float = 10.0) -> list[Finding]:
    return [finding async for finding in findings_of(stages, whole_s=whole_s)]


def states(findings: list[Finding]) -> list[tuple[str, FindingState]]:
    return [(finding.check, finding.state) for finding in findings]


async def test_looks_of_a_stage_happen_together_and_are_told_in_order() -> None:
    second_has_told = asyncio.Event()

    async def first() -> AsyncIterator[Finding]:
        await second_has_told.wait()
        yield Finding("first", OK, "")

    async def second() -> AsyncIterator[Finding]:
        yield Finding("second", OK, "")
        second_has_told.set()

    stage = Stage([Look(("first",), first, 10.0), Look(("second",), second, 10.0)])
    assert states(await all_of(stage, Stage([look(("third", OK))]))) == [
        ("first", OK),
        ("second", OK),
        ("third", OK),
    ]


async def test_a_finding_is_told_as_soon_as_it_is_known() -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[Finding]:
        yield Finding("at once", OK, "")
        await go_on.wait()
        yield Finding("later", OK, "")

    async with aclosing(findings_of([Stage([Look(("at once", "later"), slow, 10.0)])])) as findings:
        assert (await anext(findings)).check == "at once"
        go_on.set()
        assert (await anext(findings)).check == "later"


@pytest.mark.parametrize(
    ("state", "stops", "goes_on"),
    [
        (FAILURE, FAILURE_STOPS, False),
        (UNTOLD, UNTOLD_STOPS, False),
        (UNTOLD, FAILURE_STOPS, True),
        (WARNING, UNTOLD_STOPS, True),
        (FAILURE, (), True),
    ],
)
async def test_what_has_no_sense_any_more_is_left_out(
    state: FindingState, stops: Collection[FindingState], goes_on: bool
) -> None:
    first = Stage([look(("first", state), ("then", OK), stops=stops), look(("beside", OK))])
    findings = await all_of(first, Stage([look(("a", OK)), look(("b", OK))]), Stage([look(("c", OK))]))
    told_of = [("first", state), ("then", OK), ("beside", OK)]
    if goes_on:
        assert states(findings) == [*told_of, ("a", OK), ("b", OK), ("c", OK)]
    else:
        assert states(findings) == [*told_of, (REST, UNTOLD)]
        why = "has failed" if state is FAILURE else "could not be told"
        assert findings[-1].detail == f"A, b and c were not looked at, because first {why}."
        assert findings[-1].fix == "Do what there is to do about first, and check again."


async def test_what_a_look_says_of_the_rest_comes_last() -> None:
    async def tell() -> AsyncIterator[Finding]:
        causes = [Finding(check, FAILURE, "It is so.", fix) for check, fix in (("a", "Mend it."), ("b", ""))]
        causes.append(Finding("memory", WARNING, "It is so.", "Mend it."))
        for one in [*causes, Finding("memory, GPU set", WARNING, "It is so.", "Mend it.")]:
            yield one
        words = [not_looked_at([check], cause) for check, cause in zip("xyz", causes, strict=True)]
        yield Finding(REST, UNTOLD, " ".join(words))

    checks = ("a", "b", "memory", "memory, GPU set")
    *_, last, end = await all_of(Stage([Look(checks, tell, 10.0), look(("c", OK))]))
    assert states([last, end]) == [("c", OK), (REST, UNTOLD)]
    # All whose fix leads on, and nothing else.
    assert end.fix == "Do what there is to do about a and memory, and check again."


async def test_a_failure_in_the_last_stage_leaves_nothing_out() -> None:
    assert states(await all_of(Stage([look(("a", FAILURE), stops=FAILURE_STOPS)]))) == [("a", FAILURE)]


async def test_a_fault_of_ours_is_a_finding(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> AsyncIterator[Finding]:
        yield Finding("a", OK, "")
        raise KeyError("\x1b[31mred")

    with caplog.at_level(logging.CRITICAL):
        findings = await all_of(Stage([Look(("a", "b", "c"), broken, 10.0), look(("d", OK))]))
    assert states(findings) == [("a", OK), ("b", UNTOLD), ("d", OK), (REST, UNTOLD)]
    assert findings[-1].detail == "C was not looked at, because b could not be told."
    assert findings[1].detail.isprintable()
    assert "KeyError" in findings[1].evidence


async def hangs() -> AsyncIterator[Finding]:
    yield Finding("a", OK, "")
    await asyncio.get_running_loop().create_future()


async def test_a_look_that_hangs_is_told_of() -> None:
    findings = await all_of(Stage([Look(("a", "b"), hangs, 0.05), look(("c", OK))]), Stage([look(("d", OK))]))
    assert states(findings) == [("a", OK), ("b", UNTOLD), ("c", OK), ("d", OK)]


async def test_what_a_look_that_hangs_has_not_told_is_told_of() -> None:
    checks = ("a", "b", "c", "d", "c, GPU set", "e, GPU set")
    findings = await all_of(Stage([Look(checks, hangs, 0.05, together="ALL")]))
    assert states(findings) == [("a", OK), ("b", UNTOLD), (REST, UNTOLD)]
    why = "were not looked at, because b could not be told."
    assert findings[-1].detail == f"C, d and e of the GPU set {why}"


async def test_what_was_not_begun_may_be_told_of_together() -> None:
    late = Look(("x", "y"), told(("x", OK)), 10.0, together="ALL")
    findings = await all_of(Stage([look(("a", FAILURE), stops=FAILURE_STOPS)]), Stage([late]))
    assert findings[-1].detail == "ALL was not looked at, because a has failed."


async def test_the_whole_ends_in_time() -> None:
    stages = [Stage([Look(("a", "b"), hangs, 10.0)]), Stage([Look(("a", "b"), hangs, 10.0)])]
    findings = await all_of(*stages, whole_s=0.1)
    assert len(findings) in (3, 4)
    assert all(finding.state is not OK for finding in findings if finding.check == "b")


async def test_ending_it_ends_the_looks() -> None:
    ended = asyncio.Event()

    async def waits() -> AsyncIterator[Finding]:
        yield Finding("a", OK, "")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    before = asyncio.all_tasks()
    async with aclosing(findings_of([Stage([Look(("a",), waits, 10.0)])])) as findings:
        await anext(findings)
        await asyncio.sleep(0.01)
    assert ended.is_set()
    assert asyncio.all_tasks() == before
