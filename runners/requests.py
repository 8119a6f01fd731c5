"""What a person can ask the engine for: the payloads of request rows, and ids for runs.

A request is written to the store first and carried out by whichever engine comes next, so each
can be carried out again after a crash without doing anything twice.
"""

import secrets
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from runners.config.types import Count, Memory
from runners.workflow import Item, Seconds, StepMeta, Workflow

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: nothing that can be misread."""


class RequestKind(StrEnum):
    """The kinds of request."""

    LAUNCH = "launch"
    RETRY = "retry"
    CANCEL = "cancel"


LONGEST_NAME = 100
"""Characters of the name of a run."""


class LaunchSpec(BaseModel):
    """All that makes up one run, apart from its items."""

    model_config = ConfigDict(extra="forbid")

    name: str
    resource: str
    profile: str | None = None
    workflow: Workflow
    workdir: str
    """Absolute folder that the tasks start in; empty: the run's own."""
    environment: dict[str, str] = {}
    """Environment of the tasks."""
    folder: str | None = None
    """Absolute folder that the run's own folder is made in; None lets the resource choose."""


class LaunchRequest(BaseModel):
    """Start a run. The asker chooses its id, so that carrying out the request twice starts one run."""

    model_config = ConfigDict(extra="forbid")

    run: str
    spec: LaunchSpec
    items: list[Item]


class TaskNeeds(BaseModel):
    """What each task is to be given, whatever its step says; None leaves it as it is."""

    model_config = ConfigDict(extra="forbid")

    cpus_per_task: Count | None = None
    mem: Memory | None = None
    """MB."""
    time: Seconds | None = None
    """Seconds that each task may take."""

    def over(self, meta: StepMeta) -> StepMeta:
        """*meta* with these in the place of its own."""
        return meta.model_copy(update=self.model_dump(exclude_none=True))


class RetryRequest(BaseModel):
    """Run the failed and unfinished tasks of *of* again, as a new run linked to it."""

    model_config = ConfigDict(extra="forbid")

    run: str
    of: str
    needs: TaskNeeds = TaskNeeds()
    """What is different this time. The new run keeps it, and a retry of that one has it too."""


class CancelRequest(BaseModel):
    """Cancel a run, or one batch or one task of it."""

    model_config = ConfigDict(extra="forbid")

    run: str
    task: int | None = None
    batch: int | None = None
    """The batch's number within the run."""


def new_run_id() -> str:
    """A new id for a run: eight letters, of which a few are enough to name it."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))
