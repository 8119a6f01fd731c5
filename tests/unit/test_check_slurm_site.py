"""Findings about a cluster as a whole: releases, private jobs, commands that are missing or silent."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence

import pytest

from runners import check
from runners.batches import Line
from runners.checking.slurm.accounts import read_accounts
from runners.checking.slurm.check import check_slurm
from runners.checking.slurm.questions import ASK_S
from runners.checking.slurm.site import command, queue
from runners.checking.slurm.trial import TRY
from runners.config.slurm import SlurmRunnerConfig
from runners.findings import REST, Finding
from runners.sample import Sample
from runners.transport.base import Command, Exchange, Piece, Reply, Transport, TransportError
from tests.unit.checked_cluster import (
    ACCOUNTS,
    CONFIG,
    FAILURE,
    OK,
    UNTOLD,
    WARNING,
    configuration,
    script,
    settings,
)


def version(text: str, code: int = 0) -> Reply:
    return Reply(code, text.encode() if not code else b"", text.encode() if code else b"")


def test_versions_of_commands() -> None:
    new, old = version("slurm 23.11.4\n"), version("slurm 19.05.1\n")
    other, missing = version("slurm 22.05.8\n"), version("squeue: command not found\n", 127)
    assert command("squeue", new, [new, new]).state is OK
    assert command("squeue", other, [new, other]).state is WARNING
    assert command("sbatch", old, [old]).state is WARNING
    gone = command("squeue", missing, [new, missing])
    assert (gone.state, gone.fix != "") == (FAILURE, True)
    assert "command not found" in gone.detail
    assert command("sbatch", version("something\n"), [version("something\n")]).state is OK


def test_private_jobs() -> None:
    told = read_accounts(ACCOUNTS, "alice", "lab-000")
    private, public = settings(), settings(PrivateData="none")
    assert queue(private, told, "nobody", as_user=False).state is WARNING
    assert queue(private, None, "", as_user=False).state is WARNING
    # Operators, root and SLURM's own user see all; and so does the owner of the jobs what is his.
    for name in ("ops", "root", "slurm"):
        assert queue(private, told, name, as_user=False).state is OK
    assert queue(private, told, "alice", as_user=True).state is OK
    assert queue(public, told, "nobody", as_user=False).state is OK


class Missing(Transport):
    """A machine where some commands can't be started, which the lab's always can."""

    def __init__(self, *commands: str) -> None:
        self._missing = commands

    @property
    def line(self) -> Line:
        return Line(up=True)

    async def exchange(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece] = (),
        *,
        timeout_s: float,
        stop: bool = False,
    ) -> Exchange:
        for one in commands:
            if one.argv[0] in self._missing:
                raise TransportError(f"{one.argv[0]!r} can't be started: No such file or directory")
        return Exchange([self._answer(one) for one in commands], [])

    def _answer(self, one: Command) -> Reply:
        if one.argv[1:] == ("--version",):
            return version("slurm 22.05.8\n")
        if one.argv[1:] == ("show", "config"):
            return version(CONFIG.replace("accounting_storage/slurmdbd", "accounting_storage/none"))
        return Reply(1, b"", b"no")

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        raise AssertionError

    async def close(self) -> None: ...


async def found(transport: Transport, config: SlurmRunnerConfig) -> list[Finding]:
    given = check_slurm(
        transport,
        config,
        user="alice",
        as_user=True,
        sample=Sample(),
        script=lambda gpu: script(config, Sample(needs_gpu=gpu)),
    )
    return [one async for one in given]


async def test_a_command_is_missing() -> None:
    squeue = await found(Missing("squeue"), configuration())
    assert [(one.check, one.state) for one in squeue][:4] == [
        ("sbatch", OK),
        ("squeue", FAILURE),
        ("scancel", OK),
        ("controller", OK),
    ]
    scontrol = await found(Missing("scontrol", "sacctmgr"), configuration())
    assert [(one.check, one.state) for one in scontrol if one.state is not OK] == [
        ("controller", FAILURE),
        (REST, UNTOLD),
    ]


async def test_nothing_answers_after_the_controller_did() -> None:
    every = await found(Missing(), configuration())
    assert {one.state for one in every if one.check not in ("partition", "trial", REST)} == {OK}
    assert [(one.check, one.state) for one in every if one.state is not OK] == [
        ("partition", UNTOLD),
        ("trial", UNTOLD),
        (REST, UNTOLD),
    ]


async def test_trials_end_in_time() -> None:
    """Where each takes as long as it may, what is known without them is told all the same."""
    tried: list[float] = []

    class Counting(Missing):
        async def exchange(
            self,
            commands: Sequence[Command],
            pieces: Sequence[Piece] = (),
            *,
            timeout_s: float,
            stop: bool = False,
        ) -> Exchange:
            tried.extend(timeout_s for one in commands if one.argv[:2] == TRY)
            return await super().exchange(commands, pieces, timeout_s=timeout_s, stop=stop)

    await found(Counting(), configuration())
    assert len(tried) == 4
    assert sum(tried) + ASK_S <= check._SLURM_S


async def test_answers_are_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of clusters with very many nodes, reservations and accounts take a while."""
    reading = ("read_partitions", "read_nodes", "read_accounts")
    readers = ("check.look_at", *(f"questions.{name}" for name in reading))
    seen: list[threading.Thread] = []

    def noting(read: Callable[..., object]) -> Callable[..., object]:
        def note(*given: object) -> object:
            seen.append(threading.current_thread())
            return read(*given)

        return note

    for name in readers:
        module, _, function = f"runners.checking.slurm.{name}".rpartition(".")
        read = getattr(importlib.import_module(module), function)
        monkeypatch.setattr(f"{module}.{function}", noting(read))

    class Answering(Missing):
        def _answer(self, one: Command) -> Reply:
            answer = super()._answer(one)
            with_accounting = version(CONFIG) if one.argv[1:] == ("show", "config") else answer
            return Reply(0, b"", b"") if with_accounting.code else with_accounting

    await found(Answering(), configuration())
    # Each set is looked at.
    assert len(seen) == len(readers) + 1
    assert threading.main_thread() not in seen


async def test_a_script_that_takes_too_long_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.checking.slurm.check.SCRIPT_S", 0.05)
    config, go_on = configuration(), threading.Event()

    def slow(gpu: bool) -> bytes:
        go_on.wait(30.0)
        return script(config, Sample(needs_gpu=gpu))

    given = check_slurm(Missing(), config, user="alice", as_user=True, sample=Sample(), script=slow)
    try:
        every = [one async for one in given]
    finally:
        go_on.set()
    assert [(one.check, one.state) for one in every if one.state is not OK] == [
        ("batching", UNTOLD),
        (REST, UNTOLD),
    ]
    assert every[-1].detail.endswith(" and trial were not looked at, because batching could not be told.")
