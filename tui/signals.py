"""What it means that a signal ended a task, in words for a person. Imports no textual."""

from __future__ import annotations

from typing import Final

KILLED = "killed by "
"""How the worker begins the reason of a task that a signal ended."""

_MEANINGS: Final = {
    "SIGABRT": "the program gave up by itself: abort()",
    "SIGBUS": "the program used memory that nothing stands behind",
    "SIGFPE": "the program reckoned wrong, such as a division by zero",
    "SIGHUP": "its terminal or session went away, or somebody asked it to",
    "SIGILL": "the program holds an instruction that this CPU does not know",
    "SIGINT": "interrupted, as by ctrl+c",
    "SIGKILL": "killed from outside",
    "SIGPIPE": "what read its output went away",
    "SIGSEGV": "the program read or wrote memory that is not its own",
    "SIGTERM": "asked from outside to end",
    "SIGXCPU": "it used more CPU time than its limit (ulimit -t)",
    "SIGXFSZ": "a file grew over its size limit (ulimit -f)",
}
"""By the name of the signal (signal(7), Standard signals)."""


def in_words(reason: str) -> str:
    """*reason*, why a task failed, and what its signal means: `killed by SIGKILL: killed from outside`."""
    if not reason.startswith(KILLED):
        return reason
    meaning = _MEANINGS.get(reason.removeprefix(KILLED))
    return reason if meaning is None else f"{reason}: {meaning}"
