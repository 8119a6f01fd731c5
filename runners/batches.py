"""The types that cross between a runner and whoever holds it: batches before, at and after their launch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from runners.events import Event

if TYPE_CHECKING:
    from runners.workflow import StepMeta


class RunnerError(Exception):
    """A runner can't do what it was asked; the text is one sentence for a person."""


WORKER_DIED = "worker died"
"""Why a task failed that was running, as far as is known, when its worker was killed."""

WORKER_DIED_BEFORE = "worker died before this task started"

REPORT_LOST = "the worker's report of it is lost"
"""Why a task counts as failed whose end stood in a line that can't be read."""


class TaskFailedError(Exception):
    """A task did not end well; the text is the reason."""

    def __init__(self, reason: str, *, exit_code: int | None = None, signal: str | None = None) -> None:
        super().__init__(reason)
        self.exit_code = exit_code
        self.signal = signal


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task, ready to be run. All paths are absolute, on the machine that runs it."""

    index: int
    argv: tuple[str, ...]
    log: str
    limit_s: int | None = None
    """Seconds that it may take."""
    args: Mapping[str, Any] | None = None
    """Written to `args_path` as JSON before it starts."""
    args_path: str | None = None
    out_path: str | None = None
    """Where it may leave its result, as JSON."""


@dataclass(frozen=True, slots=True)
class BatchRef:
    """A batch that a runner has been given, as its holder remembers it."""

    token: str
    folder: str
    native_id: str = ""
    """The resource's own name for it; empty as long as it has not been launched."""


def _no_meta() -> "StepMeta":
    # The dashboard, to which other types of this module cross, starts without pydantic.
    from runners.workflow import StepMeta

    return StepMeta()


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """One batch, ready to be run."""

    token: str
    run: str
    folder: str
    """Absolute; the batch's alone."""
    workdir: str
    environment: Mapping[str, str]
    """The whole environment of its tasks."""
    slots: int
    tasks: Sequence[TaskSpec]
    meta: "StepMeta" = field(default_factory=_no_meta)
    """What its step asks for; only schedulers look at it."""

    @property
    def ref(self) -> BatchRef:
        """The same batch, as its holder will remember it."""
        return BatchRef(self.token, self.folder)


class Outcome(StrEnum):
    """What became of a launch."""

    STARTED = "started"
    REFUSED = "refused"
    """It does not run and won't: the reason says why."""
    UNKNOWN = "unknown"
    """Nobody can tell. Launching again is how to find out: it looks for the batch first."""
    HELD = "held"
    """It does not run: the site takes no more at the moment. Launch it again when something has ended."""


@dataclass(frozen=True, slots=True)
class Launched:
    """The answer to a launch."""

    token: str
    outcome: Outcome
    native_id: str = ""
    host: str = ""
    reason: str = ""
    """One sentence, where it did not start."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the events of a batch have been read."""

    restart: int = 0
    """Which event file; a scheduler that starts a batch again makes a new one."""
    offset: int = 0
    """Bytes of that file."""
    part: int = 0
    """Which piece of the event file, where the worker cuts it into pieces."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A batch to be looked at, and from where its events are new."""

    batch: BatchRef
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Job:
    """A batch as its scheduler shows it."""

    id: str
    state: str
    """The scheduler's own word, such as `PENDING`."""
    reason: str = ""
    """The scheduler's own word for why, such as `Priority`; empty where it gives none."""
    partition: str = ""
    """Where it is; as long as it waits perhaps several, with commas."""
    hosts: str = ""
    nodes: int | None = None
    elapsed_s: float | None = None
    """For how long it has run, as long as that goes on."""
    limit_s: float | None = None
    """Infinity where there is no limit."""
    ran_s: float | None = None
    """For how long it had run when it ended; None as long as it goes on, or where nothing tells."""


@dataclass(frozen=True, slots=True)
class Line:
    """How a resource can be reached at the moment."""

    up: bool | None
    """None as long as nobody has tried."""
    round_trip_s: float | None = None
    """Of the last exchange; None where nothing goes over a network."""
    trouble: str = ""
    """Why it can't be reached, as a sentence."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look at batches, in seconds."""

    quick_s: float
    """While something moves and someone is watching."""
    quiet_s: float
    """When nothing has moved for a while."""


class Life(StrEnum):
    """What can be told of a worker from outside."""

    ALIVE = "alive"
    GONE = "gone"
    """It is gone, what it ran has been ended, and its events have been read to the last one."""
    UNTOLD = "untold"
    """It can't be seen from here."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one look at a batch brought."""

    token: str
    events: Sequence[Event]
    cursor: Cursor
    """Where the next look goes on."""
    life: Life
    more: bool = False
    """There is more to read at once."""
    job: Job | None = None
    """What the scheduler shows; None where there is no scheduler, or it shows nothing (any more)."""
    requeued: bool = False
    """It was running, and its scheduler will start it again."""
    why: str = ""
    """Where it is gone: why, as far as its scheduler tells, as a part of a sentence."""


@dataclass(frozen=True, slots=True)
class LogChunk:
    """A piece of a log."""

    data: bytes
    offset: int
    """Where in the log *data* begins."""
    size: int
    """Bytes in the log at the moment; 0 also where the task has (as yet) said nothing."""
