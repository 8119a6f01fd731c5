"""What is said of a launch, in the words of the form: there are fields in it, and no options."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "command": "command",
    "items": "items",
    "items_from": "or a list",
    "workflow": "or steps",
    "resource": "resource",
    "profile": "profile",
    "workdir": "in folder",
    "folder": "project",
    "name": "name",
    "cpus": "CPUs",
    "mem": "memory",
    "time": "time",
    "slots": "slots",
    "tasks_per_job": "per batch",
}
"""What the form calls its fields, in their order."""

SHELL_LABEL: Final = "the command is a line for a shell"
"""What the box says."""

_PHRASES: Final = (
    ("give a command behind --, or a workflow file", "give a command, or a workflow file"),
    ("give --items or --items-from", "give patterns of files, or a list"),
    (
        "a command goes behind --, and items that are no files come from a list, "
        "with --items-from FILE (or - for standard input)",
        "items that are no files come from a list",
    ),
    ("a line for a shell needs --shell", "tick the box if it is a line for a shell"),
    ("use --shell, which never does", "tick the box for a shell, which never does"),
    (
        "with --shell the command is a line for a shell",
        "with the box ticked the command is a line for a shell",
    ),
    ("(--export NAME hands one on)", "(`runyard run --export NAME` hands one on)"),
    ("--null reads items that NULs end", "`runyard run --null` reads items that NULs end"),
)
"""Parts of sentences that speak of options; whole, so that nothing in a name is taken for one."""


def in_form(sentence: str) -> str:
    """*sentence*, about a launch, as the form says it."""
    for option, field in _PHRASES:
        sentence = sentence.replace(option, field)
    first, blank, rest = sentence.partition(" ")
    return LABELS[first] + blank + rest if first in ("cpus", "mem") else sentence
