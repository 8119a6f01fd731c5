"""Why a SLURM job has ended, or was never started, and what to do about it. Pure.

What is read here is what :mod:`runners.slurm.evidence`, :mod:`runners.slurm.launches` and the submission
script say, and what is kept with a batch and with tasks that it took along.
"""

from __future__ import annotations

import math
import re
from typing import Final

from runners.config.errors import shown
from runners.config.units import format_duration
from runners.explanation import SLURM_SET, About, Explain, Explanation, Need, advice, plainly
from runners.slurm.reasons import explain_reason
from runners.slurm.refusals import explain_refusal

_HOSTS = r"(?: \(([^)]*)\))?"

_AGAIN = "runyard retry {run}"


def explain_ending(reason: str, about: About) -> Explanation | None:
    """Why the job *about* has ended for *reason*, as it is kept; None where that says nothing known."""
    for pattern, explain in _ENDINGS:
        if match := re.match(pattern, reason, re.DOTALL | re.IGNORECASE):
            return explain(match, about)
    return None


def _time(match: re.Match[str], about: About) -> Explanation:
    limit = about.limit_s
    known = limit is not None and 0 < limit < math.inf
    words = (
        f"The time limit{f' of {format_duration(limit)}' if known and limit else ''} of the job was reached."
    )
    more = format_duration(2 * limit) if known and limit else "TIME"
    amount = limit if known and limit else 0.0
    if about.in_turn == 1 or "time" in about.own:
        # A job whose tasks have limits is given the time for all of them.
        each = format_duration(math.ceil(2 * limit / about.in_turn)) if known and limit else ""
        text = "Try more time for each; how much is not known"
        remedy = advice(text, about.retry("--time", each or "TIME"))
        return Explanation(
            words, remedy, cause="time limit", amount=amount, more=("time", each) if each else None
        )
    # What each of several tasks takes is not known: a limit of their own might end the longest of them.
    field = f"{SLURM_SET}.time"
    text = "Ask for more time, or put fewer tasks into a job, and retry"
    remedy = advice(text, about.again(about.setting(field, more)))
    return Explanation(words, remedy, cause="time limit", of="resource", field=field, amount=amount)


def _refused(match: re.Match[str], about: About) -> Explanation:
    said = shown(match[1].rstrip("."))
    known = explain_refusal(match[1], about)
    if known is None:
        text = "Change what it says in the resource, and retry"
        remedy = advice(text, about.command("runyard resource check {resource}"))
        return Explanation(f"SLURM refuses the batch: {said}.", remedy, Need.NEVER, "refused", known=False)
    return Explanation(
        f"SLURM refuses the batch. {known.sentence}",
        known.remedy,
        known.need,
        known.cause,
        known.of,
        known.field,
    )


def _full(match: re.Match[str], about: About) -> Explanation:
    text = "Nothing to do, more is submitted as soon as jobs of yours have ended. Your jobs"
    return Explanation(
        f"The site takes no more jobs of yours at the moment ({shown(match[1].rstrip('.'))}).",
        advice(text, "squeue --me"),
        Need.WAITS,
        "full",
    )


def _no_python(match: re.Match[str], about: About) -> Explanation:
    python = shown(match[1])
    text = "Name a Python from 3.6 on that all nodes have, and retry"
    field = "jobs_slurm_python_worker"
    remedy = advice(text, about.again(about.setting(field, "/usr/bin/python3")))
    words = f"There is no Python {python} on the node."
    return Explanation(words, remedy, cause="python missing", of="resource", field=field)


def _no_interpreter(match: re.Match[str], about: About) -> Explanation:
    line = shown(match[1].strip())
    words = f"The nodes can't run the script of the job: there is no interpreter {line}, of its shebang_line."
    if about.own.get("needs_gpu"):
        # Which of the two sets gives it is not known.
        text = "Set shebang_line, of gpu_slurm_config where that gives one, to a shell that all nodes have"
        return Explanation(words, advice(text), cause="interpreter")
    field = f"{SLURM_SET}.shebang_line"
    text = "Set shebang_line to a shell that all nodes have, and retry"
    remedy = advice(text, about.again(about.setting(field, "#!/bin/sh")))
    return Explanation(words, remedy, cause="interpreter", of="resource", field=field)


def _no_folder(match: re.Match[str], about: About) -> Explanation:
    text = (
        "Use a folder that all nodes see and that the user of the jobs may write to "
        "(jobs_local_dir of the resource, jobs_remote_dir of the profile), and retry"
    )
    words = f"The folder {shown(match[1])} can't be made or written to on the node."
    return Explanation(words, advice(text), cause="folder")


def _cancelled(match: re.Match[str], about: About) -> Explanation:
    who = shown(match[1].strip()) if match[1] else "its owner or an administrator"
    words = f"The job was cancelled outside of Runyard, by {who}."
    text = "Ask why, unless it was you. Retry" if match[1] else "Ask who did, and why. Retry"
    return Explanation(words, about.advice(text, _AGAIN), cause="cancelled from outside")


def _state(match: re.Match[str], about: About) -> Explanation:
    """An end of which only SLURM's state is known, and perhaps its word for why."""
    state, reason = match[1], match[2] or ""
    told = explain_reason(reason, about)
    if told is not None and told.known:
        words = f"The job is {shown(state)}. {told.sentence}"
        return Explanation(words, told.remedy, told.need, told.cause, told.of, told.field)
    text = "Ask your administrators, if it happens again. What SLURM knows of it"
    words = f"The job is {shown(state)}" + (f" ({shown(reason)})." if reason else ".")
    return Explanation(words, about.advice(text, _JOB), cause="job state")


_JOB = "scontrol show job {job}"
_ACCOUNTED = "sacct -j {job} -o JobID,State,ExitCode,Reason,MaxRSS"

_ENDINGS: Final[tuple[tuple[str, Explain], ...]] = (
    # slurmstepd's words, whatever else is told of the end of the job.
    (r"its job .*?: execve\(\): bad interpreter\((.*?)(?:\): |…)", _no_interpreter),
    (r"time limit(?: of [\d:-]+)? of the job reached", _time),
    (r"time limit$", _time),
    (
        rf"node failure{_HOSTS}",
        plainly(
            "node failure",
            "a node of the job failed ({0})",
            "If the same node fails again, leave it out (exclude in the resource). Retry",
            _AGAIN,
        ),
    ),
    (
        rf"its nodes did not start{_HOSTS}",
        plainly(
            "boot failure",
            "the nodes of the job did not start ({0})",
            "If it happens again, ask your administrators. Retry",
            _AGAIN,
        ),
    ),
    (
        r"preempted by another job",
        plainly(
            "preempted",
            "the job had to make room for one with more rights",
            "In another partition or QOS jobs may be left in peace. Retry",
            _AGAIN,
        ),
    ),
    (
        r"its deadline has passed",
        plainly(
            "deadline",
            "the job could not end before its deadline",
            "Set a later deadline, or none, in extra_lines, and retry",
            _AGAIN,
        ),
    ),
    (r"cancelled from outside(?: by ([^;]+))?", _cancelled),
    (r"SLURM refuses the batch: (.*)", _refused),
    (r"(?:waiting: )?The site takes no more jobs of yours(?: at the moment)?(?:: | \()(.*?)\)?\.?$", _full),
    (r"There is no (.+?) here; set the Python", _no_python),
    (r"(?:The folder )?(.+?) can't be (?:made|written)\.? \(node", _no_folder),
    (
        r"(?:SLURM takes nothing at the moment|Nobody knows whether sbatch took it)[:,] (.*?)\.?$",
        plainly(
            "controller",
            "SLURM's controller gave no clear answer ({0})",
            "Nothing to do, it is asked again; if it lasts, ask your administrators",
        ),
    ),
    (
        r"The batch can't be launched: (.*?)\.?$",
        plainly("launch", "the batch can't be launched: {0}", "Correct what it says, and retry", _AGAIN),
    ),
    (
        r"its job was killed by signal (\d+)",
        plainly(
            "job killed",
            "the job was killed by signal {0}, and SLURM does not say why",
            "Ask your administrators, if it happens again. What SLURM kept of it",
            _ACCOUNTED,
        ),
    ),
    (
        r"its job ended with exit code (\d+) before",
        plainly(
            "job exit code",
            "the script of the job ended with exit code {0} before the worker had begun",
            "See what it printed, and correct what runs first: extra_lines of the resource",
        ),
    ),
    (
        r"its job ended with exit code (\d+)",
        plainly(
            "job exit code",
            "the script of the job ended with exit code {0}",
            "See the output of the job in the folder of the batch. What SLURM kept of it",
            _ACCOUNTED,
        ),
    ),
    (
        r"its job has left the queue",
        plainly(
            "lost",
            "the job has left the queue, and SLURM does not say why",
            "Without accounting SLURM forgets such jobs soon. Retry",
            _AGAIN,
        ),
    ),
    (
        r"its job is FAILED(?: \(NonZeroExitCode\))?, and its worker had not begun"
        r"(?:; it printed at last: (.*))?$",
        plainly(
            "job exit code",
            "the script of the job failed before the worker had begun: {0}",
            "Correct what runs first on the node: shebang_line and extra_lines of the resource",
        ),
    ),
    (r"its job is (\w+)(?: \((.*?)\))?", _state),
    (
        r"(?:no agent could start: |slot agent died \()(.*?)\)?$",
        plainly(
            "slots",
            "a slot of the job could not be started, or was ended by SLURM ({0})",
            "Retry, and ask your administrators if it happens again. What SLURM kept of it",
            _ACCOUNTED,
        ),
    ),
)
"""By the form of the reason, in the order in which they are looked for."""
