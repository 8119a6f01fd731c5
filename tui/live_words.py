"""What an edit of a resource or profile does to the runs that go on there, in words. Imports no textual."""

from __future__ import annotations


def live_words(live: int) -> str:
    """That so many runs are reached by what is edited; empty where there are none."""
    if not live:
        return ""
    runs = "1 live run is on it: it is" if live == 1 else f"{live} live runs are on it: they are"
    return f"{runs} reached by what is saved here from now on."
