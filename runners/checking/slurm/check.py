"""What SLURM itself can tell of whether a resource can work. Nothing is changed, and no job is submitted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from runners.checking.course import not_looked_at
from runners.checking.slurm.asked import GPU_SET, Asked, read_asked
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.questions import (
    ASK_S,
    ask,
    ask_accounting,
    ask_cluster,
    ask_jobs,
    ask_trials,
)
from runners.checking.slurm.sets import OF_SET, known_before, look_at
from runners.checking.slurm.site import accounting, command, controller, queue
from runners.checking.slurm.unusable import unusable
from runners.config.errors import ConfigError
from runners.config.slurm import SlurmRunnerConfig
from runners.findings import REST, Finding, FindingState
from runners.sample import Sample
from runners.slurm.cluster_settings import SHOW_CONFIG, read_settings
from runners.transport.base import Command, Transport

SCRIPT_S = 30.0
"""Seconds that the script of the sample may take to be made."""

COMMANDS = ("sbatch", "squeue", "scancel")

OF_SITE = (*COMMANDS, "controller", "accounting", "queue")
"""The words of the findings about the cluster as a whole, in their order."""


def checks_of(config: SlurmRunnerConfig) -> tuple[str, ...]:
    """The words of all findings, in their order."""
    default = (*OF_SITE, *OF_SET)
    if config.gpu_slurm_config is None:
        return default
    return (*default, *(f"{word}, {GPU_SET}" for word in OF_SET if word != "batching"))


async def check_slurm(
    transport: Transport,
    config: SlurmRunnerConfig,
    *,
    user: str,
    as_user: bool,
    sample: Sample,
    script: Callable[[bool], bytes],
) -> AsyncIterator[Finding]:
    """What SLURM tells, one finding after the other, in the order of :func:`checks_of`.

    What an earlier finding leaves without a sense is told of by a last one, :data:`REST`. Four round trips,
    or five, each bounded in time; ending the iteration ends the one that is under way.

    Args:
        transport: to the cluster; the line is known to work.
        config: what is to be checked.
        user: who owns the jobs.
        as_user: all commands run as that user, those too that only look.
        sample: the work.
        script: the whole script of a job of the sample, for the default or (True) the GPU set. What it raises
            as a ConfigError is told as a finding. It is called in a thread: large samples take their time.
    """
    argvs = [*((name, "--version") for name in COMMANDS), SHOW_CONFIG, ("id", "-un")]
    *versions, shown_config, who = await ask(transport, [Command(argv) for argv in argvs], ASK_S)
    for name, reply in zip(COMMANDS, versions, strict=True):
        yield command(name, reply, versions)
    settings = None if shown_config.code else read_settings(shown_config.out.decode("utf-8", "replace"))
    answering = controller(settings, shown_config)
    yield answering
    every = checks_of(config)
    if settings is None:
        yield _rest([(word, answering) for word in every[every.index("controller") + 1 :]])
        return
    facts = Facts(settings, user)
    ourselves = user if as_user else who.out.decode("utf-8", "replace").strip() if who.code == 0 else ""
    told, trouble = None, ""
    if settings.accounting:
        told, trouble = await ask_accounting(transport, user, ourselves, settings.cluster)
    books = accounting(settings, trouble)
    yield books
    yield queue(settings, told, ourselves, as_user=as_user)
    sets: dict[bool, Asked] = {}
    broken: dict[bool, ConfigError | Finding] = {}
    for gpu in (False, True) if config.gpu_slurm_config is not None else (False,):
        try:
            async with asyncio.timeout(SCRIPT_S):
                sets[gpu] = await asyncio.to_thread(_read, config, sample, script, gpu)
        except ConfigError as error:
            broken[gpu] = error
        except TimeoutError:
            broken[gpu] = _too_slow(gpu=gpu)
    facts = await ask_cluster(transport, replace(facts, accounts=told), [*sets.values()])
    trials = await ask_trials(transport, [*sets.values()], settings.today)
    if any(one.own.never for one in trials):
        facts = replace(facts, jobs=await ask_jobs(transport))
    words_of = dict(zip(sets, trials, strict=True))
    left: list[tuple[str, Finding]] = []
    before: list[Finding] = []
    for gpu in sorted({*sets, *broken}):
        if gpu in sets:
            of_set = await asyncio.to_thread(look_at, sets[gpu], facts, words_of[gpu], before)
            findings = of_set.findings
            left += [(word, because or books) for word, because in of_set.left]
        else:
            why = broken[gpu]
            if isinstance(why, ConfigError):
                why = unusable(config, sample, why, facts, gpu=gpu)
            # The other set may have told of it.
            cause = known_before(why, before) or why
            findings = [] if cause in before else [cause]
            own = [word for word in every[len(OF_SITE) :] if word.endswith(GPU_SET) is gpu]
            at_fault = cause.check.partition(",")[0]
            left += [(word, cause) for word in own if word.partition(",")[0] != at_fault]
        for finding in findings:
            yield finding
        before += findings
    if left:
        yield _rest(left)


def _read(config: SlurmRunnerConfig, sample: Sample, script: Callable[[bool], bytes], gpu: bool) -> Asked:
    return read_asked(config, script(gpu), gpu=gpu, sample=sample)


def _too_slow(*, gpu: bool) -> Finding:
    """What to say where the script of the sample was not made in time."""
    detail = f"The script of the sample was not made within {SCRIPT_S:.0f} s."
    fix = "Check with fewer tasks, or when this machine has less to do."
    return Finding(f"batching, {GPU_SET}" if gpu else "batching", FindingState.UNTOLD, detail, fix)


def _rest(left: Sequence[tuple[str, Finding]]) -> Finding:
    """What was not looked at, a sentence for each finding that is the reason."""
    words: dict[str, list[str]] = {}
    reasons: dict[str, Finding] = {}
    for word, because in left:
        words.setdefault(because.check, []).append(word)
        reasons[because.check] = because
    sentences = [not_looked_at(words[check], because) for check, because in reasons.items()]
    return Finding(REST, FindingState.UNTOLD, " ".join(sentences))
