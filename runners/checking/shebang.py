"""Preflight of what runs the submission scripts: is the interpreter of their first line there?"""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator

from runners.checking.sentences import told_by
from runners.config.errors import shown
from runners.config.slurm import SlurmRunnerConfig
from runners.explanation import About
from runners.findings import Finding, FindingState
from runners.transport.base import ABSENT, Command, Reply, Transport, TransportError

_ANSWER_S = 15.0
_ON_NODES = "Compute nodes may have it; jobs fail on those that have not."


def shebang_checks(config: SlurmRunnerConfig) -> tuple[str, ...]:
    """The words of the findings: the GPU set has one where it gives a line of its own."""
    return tuple(check for check, _, _ in _lines(config))


async def shebang_findings(
    transport: Transport, config: SlurmRunnerConfig, where: str
) -> AsyncIterator[Finding]:
    """Whether the interpreter of each set's `shebang_line` is there, as the user of *transport* sees it.

    Args:
        transport: to the machine that is looked at, which need let us run no more than `ls`.
        config: what is to be checked.
        where: that machine, as a sentence names it.
    """
    for check, path, line in _lines(config):
        yield await _finding(transport, check, f"jobs_runner_config.{path}.shebang_line", line, where)


def _lines(config: SlurmRunnerConfig) -> list[tuple[str, str, str]]:
    """For each set that gives one the word of its check, its path, and the line."""
    default, gpu = config.default_slurm_config, config.gpu_slurm_config
    found = [("shebang", "default_slurm_config", default.shebang_line)]
    if gpu is not None and "shebang_line" in gpu.model_fields_set:
        found.append(("shebang, GPU set", "gpu_slurm_config", gpu.shebang_line))
    return found


async def _finding(transport: Transport, check: str, field: str, line: str, where: str) -> Finding:
    def bad(state: FindingState, detail: str, proof: str = "") -> Finding:
        fix = f"Name a shell that the nodes have, for example: {About().setting(field, '#!/bin/sh')}"
        return Finding(check, state, detail, fix, proof, of="resource", field=field)

    words = line.removeprefix("#!").split()
    if not line.startswith("#!") or not words:
        return bad(FindingState.FAILURE, f"{shown(line) or 'An empty line'} names no interpreter.")
    name = shown(words[0])
    if not posixpath.isabs(words[0]):
        return bad(FindingState.FAILURE, f"The interpreter {name} of scripts is not named by its whole path.")
    look = Command(("ls", "-ldL", "--", words[0]))
    try:
        reply = (await transport.exchange([look], timeout_s=_ANSWER_S)).replies[0]
    except TransportError as error:
        detail, fix = told_by(error)
        return Finding(check, FindingState.UNTOLD, detail, fix or "Check again.")
    proof = f"ls -ldL {name}: {shown(_said(reply))}"
    if reply.code:
        if reply.last_words.endswith(ABSENT):
            detail = f"There is no {name} on {where}, which is to run the scripts of jobs. {_ON_NODES}"
            return bad(FindingState.WARNING, detail, proof)
        detail = f"Whether {name} is on {where} can't be told: {shown(reply.last_words)}"
        return Finding(check, FindingState.UNTOLD, detail, "See why that is, as that user.", proof)
    mode = _said(reply)[:10]
    if not mode.startswith("-") or "x" not in mode:
        what = "a folder" if mode.startswith("d") else "no program that can be run"
        return bad(FindingState.WARNING, f"{name} on {where} is {what}, and is to run scripts.", proof)
    found = f"{name}, which runs the scripts of jobs, is there on {where}."
    return Finding(check, FindingState.OK, found, evidence=proof)


def _said(reply: Reply) -> str:
    return reply.out.decode("utf-8", "replace").strip() or reply.last_words
