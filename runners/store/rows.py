"""The rows of the store, as readers get them.

Times are seconds since the epoch, durations are seconds, memory is MB (1 MB = 1,000,000 bytes).
"""

from dataclasses import dataclass, fields
from typing import Any, Self

from runners.states import RequestState, State


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tasks are in which state."""

    pending: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All tasks."""
        return self.pending + self.running + self.done + self.failed + self.cancelled + self.unknown

    @property
    def ended(self) -> int:
        """Tasks to which nothing more can happen."""
        return self.done + self.failed + self.cancelled

    @classmethod
    def of(cls, by_state: dict[str, int]) -> Self:
        """Counts from a mapping of state words to numbers."""
        return cls(**{field.name: by_state.get(field.name, 0) for field in fields(cls)})

    def as_dict(self) -> dict[str, int]:
        """The counts by state word."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One launch: a workflow applied to a dataset on a resource."""

    id: str
    name: str
    resource: str
    profile: str | None
    retry_of: str | None
    state: State
    reason: str
    """Why it is in this state; empty where there is nothing to say."""
    created: float
    started: float | None
    ended: float | None
    counts: Counts
    folder: str
    workdir: str
    cancelling: bool
    """A cancel was asked for and is being carried out."""
    revision: int


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a run. Steps run one after the other."""

    run: str
    position: int
    name: str
    type: str
    command: str
    """The command as a person would type it."""
    state: State
    plan: str
    """The batching decision and its reason, in words."""
    counts: Counts
    revision: int


@dataclass(frozen=True, slots=True)
class BatchRow:
    """Tasks handed to the resource in one piece: one SLURM job, or one local worker."""

    token: str
    run: str
    step: int
    number: int
    """Position within the run, from 0."""
    slots: int
    state: State
    """The verdict, from the two observations that follow."""
    worker_state: str
    """The last thing the worker said: ``""`` (nothing yet), ``hello``, ``bye``, ``lost``."""
    scheduler_state: str
    """The scheduler's own word, or ``alive``, ``gone`` and ``""`` (not told) where it has said none."""
    scheduler_reason: str
    """The scheduler's own word for why; empty where it gives none."""
    reason: str
    partition: str
    """Where its scheduler has it, or would have it: then perhaps several, with commas. Empty: not known."""
    native_id: str
    """The resource's name for it: a process id, a SLURM job id; empty before the launch."""
    host: str
    """Where its worker is."""
    hosts: str
    """The nodes that its scheduler has given it, in the scheduler's own notation."""
    nodes: int | None
    """How many these are."""
    limit_s: float | None
    """How long it may run; -1 without a limit, None where that is not known."""
    job_since: float | None
    """When its scheduler began to run it, this time; None where that is not known."""
    folder: str
    created: float
    started: float | None
    ended: float | None
    counts: Counts
    restart: int
    """Which event file is being read; goes up when a scheduler starts the batch again."""
    part: int
    """Which piece of that file."""
    offset: int
    """Bytes of that piece already taken in."""
    revision: int


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One command on one item."""

    run: str
    index: int
    """Position within the run, from 0."""
    step: int
    item: str
    batch: str | None
    slot: int | None
    state: State
    """The verdict."""
    worker_state: str
    """What the worker reported of it: ``""``, ``start``, ``interrupted``, or the state it ended in."""
    exit_code: int | None
    signal: str | None
    reason: str
    started: float | None
    ended: float | None
    max_rss_mb: float | None
    cpu_s: float | None
    wall_s: float | None
    log_bytes: int | None
    """Size of its log when it ended; 0 means it said nothing and there is no log."""
    left: int
    """Processes it left behind, which were ended."""
    result: str | None
    """Its JSON result, where it gave one."""
    fields: str | None
    """The columns of its item as a JSON object, where the items come from a table."""
    place: int
    """Its item's position within the dataset; a retry keeps it."""
    cancelling: bool
    """Its cancel was asked for and is being carried out."""
    revision: int


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One place inside a live batch where a task can run, as last heard of."""

    batch: str
    run: str
    slot: int
    state: str
    """``ready``, ``busy``, ``lost`` or ``failed``."""
    host: str
    pid: int | None
    task: int | None
    since: float | None
    """When the task in it started."""
    rss_mb: float | None
    cpu_s: float | None
    """CPU time of the task so far."""
    cpu_percent: float | None
    """Of one core, between the last two heartbeats."""
    revision: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of a run's history: what the worker, or the engine, saw happen."""

    id: int
    run: str
    batch: str | None
    time: float
    kind: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """How a resource could be reached as a profile, at the last look."""

    resource: str
    profile: str
    """Empty for none."""
    place: str
    """See `BaseRunner.place`, as :attr:`CommandRow.place`."""
    up: bool | None
    """None as long as nobody has tried."""
    round_trip_s: float | None
    """To the millisecond; None where nothing goes over a network."""
    trouble: str
    """Why it can't be reached, as a sentence."""
    looked: float | None
    """When it was last reached, within five seconds; what its batches show is from then."""
    question: int
    """How many questions wait for a person's answer before it can be reached."""
    revision: int


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command that was run on a resource. All text is as it came, cut where it was long."""

    id: int
    """Goes up with every command."""
    time: float
    """When it began."""
    place: str
    command: str
    """As a person would type it."""
    code: int | None
    """Its exit code; None where it gave none."""
    seconds: float
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class RequestRow:
    """Something a person asked for. It waits in the store until an engine has carried it out."""

    id: int
    kind: str
    payload: dict[str, Any]
    state: RequestState
    answer: str
    """The refusal in one sentence, or empty."""
    created: float
