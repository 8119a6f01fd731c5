"""The states of tasks, batches and runs, as they are stored and shown.

The same six words serve all three, so that a person learns them once.
"""

from enum import StrEnum


class State(StrEnum):
    """What is known of a task, a batch or a run."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """It was handed over and nobody can tell at the moment what became of it."""

    @property
    def final(self) -> bool:
        """Whether nothing more can happen to it."""
        return self in FINAL


FINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED})


class RequestState(StrEnum):
    """How far the engine is with a request."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
