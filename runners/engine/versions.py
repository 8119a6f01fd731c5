"""What is said where the engine, which outlasts an update, is of another version than who asks it. Pure."""

_STOP = "stop it with `runyard engine stop` (what runs goes on), and try again"


def older_than_asker(unknown: str) -> str:
    """The answer to what only a newer Runyard can have asked; *unknown* is what the engine does not know."""
    return f"The engine that is running is older than this Runyard, and does not know {unknown}; {_STOP}."


def of_another_version(symptom: str, error: Exception) -> str:
    """What one side says that can't read the other; *symptom* is what it can't read, *error* why."""
    return f"{symptom} ({error!r}): the engine that is running is perhaps of another version; {_STOP}."
