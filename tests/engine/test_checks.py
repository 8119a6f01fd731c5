"""Preflight checks in the engine: begun, read one by one, and ended when nobody wants them any more."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runners.config.files import read_profile, read_resource
from runners.engine.checks import _Check
from runners.engine.client import EngineError
from runners.engine.finding_wire import packed, unpacked
from runners.engine.wire import LARGEST
from runners.findings import Finding, FindingState
from runners.local import LocalRunner
from runners.sample import Sample
from tests.engine.clusters import ClusterLab
from tests.engine.lab import Lab
from tests.engine.test_questions import lock_key, over_ssh
from tests.lab.runyard_home import PROFILE
from tests.waiting import until

SAMPLE = Sample(tasks=10)


class Gate:
    """A runner's check that finds one thing, and the next only when the gate is open."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.begun = 0
        self.ended = 0
        self.samples: list[Sample] = []

    async def check(self, runner: LocalRunner, sample: Sample) -> AsyncIterator[Finding]:
        self.begun += 1
        self.samples.append(sample)
        try:
            yield Finding("first", FindingState.OK, "it is there")
            await self.open.wait()
            yield Finding(
                "second", FindingState.WARNING, "\x1b[31mred", "do: this", "a\nb", "resource", "x.y"
            )
        finally:
            self.ended += 1


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(LocalRunner, "check", lambda runner, sample: gate.check(runner, sample))
    return gate


def local(lab: Lab, **others: Any) -> dict[str, Any]:
    """The document of the local resource."""
    value = read_resource(lab.home.resources, "local").value
    return {**value.model_dump(mode="json", exclude_unset=True), **others}


async def found(lab: Lab, resource: object, profile: object = None) -> list[Finding]:
    return [finding async for finding in lab.client.check(resource, profile, SAMPLE)]


async def test_this_machine_is_checked(lab: Lab) -> None:
    async with lab.hosted():
        findings = await found(lab, local(lab))
    assert findings
    assert {finding.state for finding in findings} == {FindingState.OK}


async def test_a_draft_is_checked_and_not_the_file(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    before = read_resource(lab.home.resources, "local").fingerprint
    async with lab.hosted():
        findings = await found(lab, local(lab, jobs_local_dir=str(file / "jobs")))
        assert [
            str(file) in finding.detail for finding in findings if finding.state is FindingState.FAILURE
        ] == [True]
        assert all(finding.state is FindingState.OK for finding in await found(lab, local(lab)))
    assert read_resource(lab.home.resources, "local").fingerprint == before


async def test_findings_come_one_by_one_and_as_they_are(lab: Lab, gate: Gate) -> None:
    async with lab.hosted():
        sample = Sample(tasks=7, cpus=2, mem_mb=300, needs_gpu=True)
        async with aclosing(lab.client.check(local(lab), None, sample)) as findings:
            assert (await anext(findings)).check == "first"
            assert gate.ended == 0
            gate.open.set()
            assert await anext(findings) == Finding(
                "second", FindingState.WARNING, "\x1b[31mred", "do: this", "a\nb", "resource", "x.y"
            )
            with pytest.raises(StopAsyncIteration):
                await anext(findings)
        assert gate.samples == [sample]
        assert gate.ended == 1


async def test_whoever_stops_reading_stops_the_check(lab: Lab, gate: Gate) -> None:
    async with lab.hosted():
        reading = asyncio.create_task(found(lab, local(lab)))
        await until(lambda: gate.begun)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await until(lambda: gate.ended == 1)
        async with aclosing(lab.client.check(local(lab), None, SAMPLE)) as findings:
            await anext(findings)
        await until(lambda: gate.ended == 2)


async def test_a_check_that_nobody_asks_after_ends(
    lab: Lab, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.engine.checks._ABANDONED_S", 2.0)
    monkeypatch.setattr("runners.engine.checks._WAIT_S", 0.2)
    async with lab.hosted():
        left = lab.client.check(local(lab), None, SAMPLE)
        await anext(left)
        await until(lambda: gate.ended == 1)
        with pytest.raises(EngineError, match="does not know this check any more; check again"):
            await anext(left)


async def test_a_check_that_is_read_goes_on_however_long_it_takes(
    lab: Lab, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question puts off its end."""
    monkeypatch.setattr("runners.engine.checks._WAIT_S", 0.05)
    limits: list[asyncio.Timeout] = []
    ends: list[float | None] = []
    limit, asked_after = _Check.limit, _Check.asked_after

    def kept(check: _Check) -> asyncio.Timeout:
        limits.append(limit(check))
        return limits[-1]

    def noted(check: _Check, patience_s: float) -> None:
        asked_after(check, patience_s)
        ends.extend(one.when() for one in limits)

    monkeypatch.setattr(_Check, "limit", kept)
    monkeypatch.setattr(_Check, "asked_after", noted)
    async with lab.hosted():
        reading = asyncio.create_task(found(lab, local(lab)))
        await until(lambda: len(ends) > 3)
        gate.open.set()
        assert len(await reading) == 2
    known = [end for end in ends if end is not None]
    assert len(known) == len(ends)
    assert all(earlier < later for earlier, later in pairwise(known))


async def test_several_at_a_time_and_not_too_many(
    lab: Lab, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.engine.checks.AT_ONCE", 2)
    async with lab.hosted():
        both = [asyncio.create_task(found(lab, local(lab))) for _ in range(2)]
        await until(lambda: gate.begun == 2)
        with pytest.raises(EngineError, match=r"^2 checks are going on already; wait until one of them"):
            await found(lab, local(lab))
        gate.open.set()
        assert [len(findings) for findings in await asyncio.gather(*both)] == [2, 2]
        assert len(await found(lab, local(lab))) == 2


async def test_what_is_not_valid_is_not_checked(lab: Lab, gate: Gate) -> None:
    async with lab.hosted():
        with pytest.raises(EngineError, match=r"^The resource: jobs_local_dir must be an absolute path"):
            await found(lab, local(lab, jobs_local_dir="x"))
        with pytest.raises(EngineError, match=r"^The profile: resource_type must be one of"):
            await found(lab, local(lab), {})
        with pytest.raises(
            EngineError, match=r"^The profile: resource_type must be local, like its resource"
        ):
            await found(lab, local(lab), {"resource_type": "slurm_sudo", "name": "me", "username": "me"})
        with pytest.raises(EngineError, match="can't read the question"):
            _ = [one async for one in lab.client.check(local(lab), None, Sample(tasks=-1))]
        with pytest.raises(EngineError, match="too large to be checked"):
            await found(lab, local(lab, more="x" * LARGEST))
        assert not gate.begun
    with pytest.raises(EngineError, match="No engine is running"):
        await found(lab, local(lab))


async def test_a_defect_of_a_check_is_said_and_disturbs_nothing_else(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(runner: LocalRunner, sample: Sample) -> AsyncIterator[Finding]:
        yield Finding("first", FindingState.OK, "")
        raise ZeroDivisionError("by zero")

    async with lab.hosted():
        with monkeypatch.context() as patch:
            patch.setattr(LocalRunner, "check", broken)
            findings = lab.client.check(local(lab), None, SAMPLE)
            assert (await anext(findings)).check == "first"
            with pytest.raises(
                EngineError, match=r"fault of its own; engine.log .* `runyard engine stop` lets"
            ):
                await anext(findings)
        assert "ZeroDivisionError" in caplog.text
        assert await found(lab, local(lab))


async def test_an_engine_that_is_stopped_ends_its_checks(lab: Lab, gate: Gate) -> None:
    async with lab.hosted() as engine:
        reading = asyncio.create_task(found(lab, local(lab)))
        await until(lambda: gate.begun)
        engine.stop()
        with pytest.raises(EngineError, match="The engine has ended in the middle of the check"):
            await reading
    assert gate.ended == 1


def documents(cluster: ClusterLab) -> tuple[object, object]:
    """The documents of the resource under test and its profile."""
    folder = cluster.home.resources
    resource = read_resource(folder, cluster.resource).value
    profile = read_profile(folder, cluster.resource, PROFILE).value
    return resource.model_dump(mode="json", exclude_unset=True), profile.model_dump(mode="json")


async def test_a_cluster_is_checked_and_left_as_it_was(cluster: ClusterLab) -> None:
    async with cluster.hosted():
        findings = await found(cluster, *documents(cluster))
        assert findings
        assert {finding.state for finding in findings} == {FindingState.OK}, findings
        with pytest.raises(EngineError, match=r"needs a profile; name one of its own\.$"):
            await found(cluster, documents(cluster)[0])
        if cluster.over_ssh:
            await until(lambda: cluster.sessions() == 0)


@over_ssh
async def test_a_check_uses_the_line_that_is_there_and_leaves_it(cluster: ClusterLab, tmp_path: Path) -> None:
    lock_key(cluster, tmp_path)
    async with cluster.hosted():
        # Nobody is asked for the passphrase by a check.
        findings = await found(cluster, *documents(cluster))
        assert any(finding.state is not FindingState.OK for finding in findings)
        assert await cluster.client.questions() == []
        connecting = asyncio.create_task(cluster.client.connect(cluster.resource, PROFILE))
        await until(lambda: [place for place in cluster.store.places() if place.question])
        (question,) = await cluster.client.questions()
        await cluster.client.answer(question.id, ["correct horse battery"])
        assert (await connecting).up
        findings = await found(cluster, *documents(cluster))
        assert {finding.state for finding in findings} == {FindingState.OK}, findings
        assert cluster.sessions() == 1
        # The engine still knows the passphrase when the line is lost.
        cluster.take_down()
        cluster.bring_up()
        findings = await found(cluster, *documents(cluster))
        assert {finding.state for finding in findings} == {FindingState.OK}, findings


@pytest.mark.parametrize("cluster", ["lab-sudo"], indirect=True)
async def test_a_user_that_is_not_there_is_a_finding_and_no_refusal(cluster: ClusterLab) -> None:
    resource, profile = documents(cluster)
    assert isinstance(profile, dict)
    async with cluster.hosted():
        findings = await found(cluster, resource, {**profile, "username": "nonesuch"})
    failures = [finding for finding in findings if finding.state is FindingState.FAILURE]
    assert [(finding.of, finding.field) for finding in failures] == [("profile", "username")]


def test_findings_that_do_not_fit_into_one_answer_come_in_several() -> None:
    long = Finding("x", FindingState.OK, "d", evidence="\x00" * 30_000)
    findings = [long] * 20
    read: list[Finding] = []
    while len(read) < len(findings):
        data = packed(findings[len(read) :])
        assert len(data) <= LARGEST
        read += unpacked(data)
    assert read == findings
    assert packed([]) == b"[]"
    (cut,) = unpacked(packed([Finding("x", FindingState.OK, "d", evidence="e" * 10_000_000)]))
    assert cut.evidence.endswith("more characters)") and len(cut.evidence) < 40_000


@pytest.mark.parametrize(
    "document",
    [
        {},
        [1],
        [{"check": "x"}],
        [{**asdict(Finding("x", FindingState.OK, "d")), "state": "good"}],
        [{**asdict(Finding("x", FindingState.OK, "d")), "of": "me"}],
        [{**asdict(Finding("x", FindingState.OK, "d")), "fix": None}],
        [{**asdict(Finding("x", FindingState.OK, "d")), "more": ""}],
    ],
)
def test_what_is_no_finding_is_not_taken_for_one(document: object) -> None:
    with pytest.raises(ValueError, match=r"find|state|good"):
        unpacked(json.dumps(document).encode())
