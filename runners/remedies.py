"""Why a task or a batch has failed, in a sentence, and what to do about it. Pure.

Reasons are those that are kept in the store: the worker's, and those of :mod:`runners.slurm.endings`. What a
program printed at last may tell more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from runners.config.errors import shown
from runners.config.units import LARGEST, format_duration, parse_duration, parse_memory
from runners.explanation import About, Explain, Explanation, advice, plainly, sentence
from runners.slurm.endings import explain_ending

PLAIN = "exit code"
"""A cause that its reason tells already; the rest stands in what the program printed."""

_NOT_STARTED = "not started: "

_MEMORY = re.compile(
    r"out of memory(?:: asked ([\d.]+ [MGT]B))?(?:, )?(?:(?:: )?reached ([\d.]+ [MGT]B))?", re.IGNORECASE
)
_MB = {"MB": 1, "GB": 1000, "TB": 1_000_000}

_LOGS = "runyard logs {run}"
_RETRY = "runyard retry {run}"


def explain_failure(reason: str, about: About, says: Sequence[str] = ()) -> Explanation | None:
    """Why a task or a batch *about* which this is known failed for *reason*, and what to do.

    Args:
        reason: as it is kept in the store; untrusted.
        about: what is known of it.
        says: the last lines that it printed, if they are known.

    Returns:
        None where the reason is empty, or says all that can be said.
    """
    reason = reason.strip().removeprefix(_NOT_STARTED)
    if match := _MEMORY.match(reason):
        return _memory(match, about)
    if reason.startswith(("exit code ", "killed by ")) and (told := explain_output(says, about)) is not None:
        return told
    for pattern, explain in _FAILURES:
        if found := re.match(pattern, reason, re.DOTALL | re.IGNORECASE):
            return explain(found, about)
    return explain_ending(reason, about)


def explain_output(says: Sequence[str], about: About) -> Explanation | None:
    """What the last lines that a program printed tell of its failure; None where they tell nothing known."""
    for line in reversed(says):
        for pattern, explain in _OUTPUTS:
            if found := re.search(pattern, line):
                return explain(found, about)
    return None


def _memory(match: re.Match[str], about: About) -> Explanation:
    asked, reached = (_mb(group) for group in match.groups())
    # A job asks for all its slots together; what is reached is the most of one of them.
    asked = asked / max(1, about.slots) if asked else _own_mb(about)
    told = any(match.groups())
    words = "The memory was not enough" + (f": {match[0].removeprefix('out of memory: ')}." if told else ".")
    need = _more(asked, reached or about.peak_mb)
    more = _rounded(need) if 0 < need <= LARGEST else ""
    known = _takes(parse_memory, more)
    if not known:
        need, more = 0.0, "MEMORY"
    if about.slurm:
        text = "Try more memory; how much is not known"
    else:
        # Where it is known what each needs, no more run at a time than there is memory for.
        text = "Say what each needs, so fewer run"
    remedy = advice(text, about.retry("--mem", more))
    return Explanation(
        words, remedy, cause="out of memory", amount=need, more=("mem", more) if known else None
    )


def _more(asked: float | None, reached: float | None) -> float:
    """How many MB to try next; 0 where nothing is known.

    What was reached is no measure of what is needed: whoever is ended at the limit has not had it all. So it
    is twice what was asked for, or more where even more than that was held.
    """
    return max(2 * asked, 1.5 * (reached or 0.0)) if asked else 2 * (reached or 0.0)


def _own_mb(about: About) -> float | None:
    """What the step itself asks for each task."""
    mb = about.own.get("mem")
    return float(mb) if isinstance(mb, int) and 0 < mb <= LARGEST else None


def _task_time(match: re.Match[str], about: About) -> Explanation:
    limit = _number(match[1]) or 0.0
    more = format_duration(2 * limit)
    known = limit >= 1 and _takes(parse_duration, more)
    if not known:
        limit, more = 0.0, "TIME"
    words = f"The task took longer than its own time limit: {shown(match[1])} s."
    remedy = advice("Try it with more time for each task", about.retry("--time", more))
    return Explanation(
        words, remedy, cause="task time limit", amount=limit, more=("time", more) if known else None
    )


def _mb(text: str | None) -> float | None:
    if not text:
        return None
    number, unit = text.split(" ")
    found = _number(number)
    return None if found is None else found * _MB[unit.upper()]


def _number(text: str) -> float | None:
    """A number that a reason tells; None where it is none, or none that could be asked for."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= LARGEST else None


def _takes(parse: Callable[[str], int], value: str) -> bool:
    """Whether the option whose values *parse* reads would take *value*."""
    try:
        parse(value)
    except ValueError:
        return False
    return True


def _rounded(mb: float) -> str:
    """At least so much memory, as a person would ask for it: `512M`, `4G`."""
    if mb <= 896:
        return f"{math.ceil(mb / 64) * 64}M"
    return f"{math.ceil(mb / 1000)}G"


_PATH = (
    "Give its whole path, or see to it that PATH leads to it where the task runs (on a cluster: "
    "module load among extra_lines of the resource)"
)

_missing = plainly("command not found", "a command is not found: {0}", _PATH)
_closed = plainly(
    "not executable",
    "a file can't be run as a program: {0}",
    "Check that it may be executed (chmod +x FILE) and begins with a #! line, if it is a script",
)
_disk = plainly(
    "disk full",
    "there is no room left on a file system: {0}",
    "Remove what is no longer needed there, or use another folder, and retry. How full it is",
    "df -h",
)
_quota = plainly(
    "quota",
    "the disk quota is used up: {0}",
    "Remove what is no longer needed, or ask for more, and retry. What is used",
    "quota -s",
)

_SIGNALS: Final[Mapping[str, tuple[str, str]]] = {
    "SIGKILL": (
        "it was killed from outside, most often because the machine or the job ran out of memory",
        "Give it more memory or run fewer at a time, and retry; if that is not it, see what it printed",
    ),
    "SIGSEGV": (
        "the program read or wrote memory that is not its own",
        "That is a fault in the program, or in its input: see what it printed",
    ),
    "SIGBUS": (
        "the program used memory that nothing stands behind, as when a disk is full",
        "Check the room on the file systems that it writes to, and see what it printed",
    ),
    "SIGABRT": ("the program gave up by itself", "See what it printed"),
    "SIGFPE": ("the program reckoned wrong, such as a division by zero", "See what it printed"),
    "SIGILL": (
        "the program holds an instruction that the CPU does not know",
        "Build it for the oldest CPU among the nodes, or ask for nodes that suit (constraint)",
    ),
    "SIGXCPU": ("it used more CPU time than its limit", "Raise the limit (ulimit -t), or divide the work"),
    "SIGXFSZ": ("a file grew over its size limit", "Raise the limit (ulimit -f), or write smaller files"),
    "SIGPIPE": ("what read its output went away", "See what it printed"),
    "SIGTERM": ("it was asked from outside to end", "Ask who ended it, and retry"),
    "SIGINT": ("it was interrupted", "Retry"),
    "SIGHUP": ("its session went away", "Retry"),
}


def _signal(match: re.Match[str], about: About) -> Explanation:
    name = match[1]
    words, text = _SIGNALS.get(name, (f"it was ended by {shown(name)}", "See what it printed"))
    command = _LOGS if text.endswith("printed") else _RETRY if text.endswith(("retry", "Retry")) else ""
    return Explanation(sentence(words), advice(text, about.command(command) if command else ""), cause=name)


_SHELL_SIGNALS: Final[Mapping[int, str]] = {
    129: "SIGHUP",
    130: "SIGINT",
    132: "SIGILL",
    134: "SIGABRT",
    135: "SIGBUS",
    136: "SIGFPE",
    137: "SIGKILL",
    139: "SIGSEGV",
    141: "SIGPIPE",
    143: "SIGTERM",
    152: "SIGXCPU",
    153: "SIGXFSZ",
}
"""What a shell ends with when a signal ended its last command."""


def _exit(match: re.Match[str], about: About) -> Explanation:
    code = int(match[1])
    see = advice("See what it printed", about.command(_LOGS))
    if code == 127:
        return replace(_missing(_ANY, about), sentence="A command of it is not found (exit code 127).")
    if code == 126:
        return replace(_closed(_ANY, about), sentence="A command of it can't be executed (exit code 126).")
    if (name := _SHELL_SIGNALS.get(code)) is not None:
        words, text = _SIGNALS[name]
        told = sentence(f"a command of it was ended by {name}: {words}")
        return Explanation(told, advice(text), cause=name)
    return Explanation(f"The program itself ended with exit code {code}.", see, cause=PLAIN)


_ANY = re.match("", "") or next(re.finditer("", ""))

_FAILURES: Final[tuple[tuple[str, Explain], ...]] = (
    (r"exit code (\d{1,4})$", _exit),
    (r"killed by (SIG[A-Z0-9+]+|signal \d+)", _signal),
    (r".*disk quota exceeded", _quota),
    (r".*no space left on device", _disk),
    (r"command not found: (.*)", _missing),
    (
        r"the interpreter in its #! line is missing: (.*)",
        plainly(
            "interpreter",
            "the interpreter in the #! line of a script is missing: {0}",
            "Correct the first line of the script, which may end with a carriage return from Windows",
        ),
    ),
    (r"permission denied: (.*)", _closed),
    (r"not a program \(no #! line\?\): (.*)", _closed),
    (
        r"arguments too long: (.*)",
        plainly(
            "arguments",
            "the command is longer than the system allows: {0}",
            "Hand the task its item in a file: {args_json} stands for one",
        ),
    ),
    (
        r"the folder to work in cannot be entered: (.*)",
        plainly(
            "workdir",
            "the folder to work in can't be entered where the task runs: {0}",
            "Launch it again in a folder that is there on all nodes (--workdir)",
        ),
    ),
    (
        r".*\((?:log|arguments|result)\)$",
        plainly(
            "folder",
            "what the run writes can't be written where the task runs",
            "Check that the folder of the run can be written to there, and has room",
        ),
    ),
    (r"time limit of (.+?) s reached", _task_time),
    (
        r"bad result|its result can't be read: (.*)",
        plainly(
            "result",
            "the result that the task left can't be read as JSON: {0}",
            "Have the program write one JSON value to {out_json}; see what it printed",
            _LOGS,
        ),
    ),
    (
        r"the worker's report of it is lost",
        plainly(
            "report lost", "the line in which the worker reported its end can't be read", "Retry", _RETRY
        ),
    ),
    (
        r"worker died",
        plainly(
            "worker died",
            "the worker was killed, by a restart of the machine or for want of memory, say",
            "Retry",
            _RETRY,
        ),
    ),
    (
        r"The worker (?:did not start|can't be started): (.*)|The batch in .* cannot be started: (.*)",
        plainly("worker", "the worker can't be started: {0}", "Correct what it says, and retry", _RETRY),
    ),
)
"""By the form of the reason, in the order in which they are looked for."""

_OUTPUTS: Final[tuple[tuple[str, Explain], ...]] = (
    (r"(.{0,120}Disk quota exceeded)", _quota),
    (r"(.{0,120}No space left on device)", _disk),
    (
        r"ModuleNotFoundError: No module named '?([\w.]{1,100})|ImportError: (.{1,120})",
        plainly(
            "python module",
            "a Python module is missing where the task runs: {0}",
            "Install it in the environment that the task uses, or use a Python that has it",
        ),
    ),
    (
        r"((?:CUDA|HIP) out of memory|CUDA_ERROR_OUT_OF_MEMORY)",
        plainly(
            "GPU memory",
            "the memory of the GPU was not enough",
            "Give each task a GPU of its own or a larger one (gres, constraint), or smaller pieces",
        ),
    ),
    (
        r"^MemoryError\b|std::bad_alloc|[Cc]annot allocate memory",
        plainly(
            "no memory given",
            "the program was given no more memory",
            "Try it with more memory",
            f"{_RETRY} --mem MEMORY",
        ),
    ),
    (r"(?:^|: )(?:line \d+: )?([^:]{1,100}): (?:command )?not found$", _missing),
    (
        r"error while loading shared libraries: ([^:]{1,100})",
        plainly(
            "library",
            "a shared library is missing where the task runs: {0}",
            "Load its module among extra_lines of the resource, or set LD_LIBRARY_PATH (--export)",
        ),
    ),
    (
        r"([^:]{1,100}): [Pp]ermission denied",
        plainly(
            "permission",
            "a file may not be used: {0}",
            "Check whom it belongs to, as the user that the task runs as",
        ),
    ),
)
"""By what stands in a line."""
