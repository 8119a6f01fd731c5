"""What is said where the engine, which outlasts an update, is of another version than who asks it. Pure."""

import re

_BEFORE = re.compile(
    r"(?:The engine|This Runyard) does not know ((?:the operation|requests of the kind) .*)\."
    r"|The request can't be carried out: ([\w.]+) is not a known key\."
)
_STOP = "stop it with `runyard engine stop` (what runs goes on), and try again"


def older_than_asker(unknown: str) -> str:
    """The answer to what only a newer Runyard can have asked; *unknown* is what the engine does not know."""
    return f"The engine that is running is older than this Runyard, and does not know {unknown}; {_STOP}."


def retold(told: str) -> str:
    """What an engine has *told*; in these words also where one said the same before there were any."""
    found = _BEFORE.fullmatch(told)
    return told if found is None else older_than_asker(found[1] or found[2])


def of_another_version(symptom: str, error: Exception) -> str:
    """What one side says that can't read the other; *symptom* is what it can't read, *error* why."""
    return f"{symptom} ({error!r}): the engine that is running is perhaps of another version; {_STOP}."
