"""A day on two clusters and this machine, as an engine would have left it in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runners.batches import Line
from runners.states import State
from runners.store.writer import Change, Writer
from runners.transport.questions import Kind, Prompt, Question
from runners.transport.records import CommandRecord
from tests.tui.stores import T0, Tale, files, tell

RUN = "5mq8x2ra"
"""The run that is in the middle of it, on `alps`."""

HELD, LOST = "w0h41d5s", "9e7t0ut2"
"""A run that the site takes no more jobs of, and one on a cluster that can't be reached."""

ALPS = "ssh:mira@login.alps.example"
ETNA = "ssh:mira@etna.example"

HELD_BACK = "waiting: the site takes no more jobs of yours (QOSMaxSubmitJobPerUserLimit)"
NO_ROUTE = "No answer from etna.example on port 22: is the VPN up?"

_TASKS = 50
"""Tasks of each job."""

_SLOTS = 4


@dataclass(frozen=True)
class Job:
    """What there is to say of one batch on a cluster."""

    state: State
    scheduler: str
    done: int = 0
    failed: int = 0
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Of its row, in place of what follows from the state."""


def _pending(reason: str, **columns: Any) -> Job:
    return Job(State.PENDING, "PENDING", columns={"scheduler_reason": reason, **columns})


def _running(done: int, host: str, since: float) -> Job:
    columns = {"hosts": host, "host": host, "job_since": T0 - since, "started": T0 - since + 2}
    return Job(State.RUNNING, "RUNNING", done, columns=columns)


_DONE = Job(
    State.DONE,
    "COMPLETED",
    _TASKS,
    columns={"hosts": "cn[07-08]", "host": "cn07", "job_since": T0 - 1500, "ended": T0 - 640},
)

JOBS = (
    _DONE,
    _DONE,
    Job(
        State.FAILED,
        "OUT_OF_MEMORY",
        _TASKS - 1,
        1,
        {
            "hosts": "cn09",
            "host": "cn09",
            "job_since": T0 - 1400,
            "ended": T0 - 512,
            "reason": "out of memory: asked 2 GB, reached 3.1 GB",
        },
    ),
    _running(31, "cn11", 482),
    _running(12, "cn12", 207),
    _pending("None", started=T0 - 900, scheduler_state="REQUEUED"),
    _pending("Resources"),
    _pending("Priority"),
    _pending("Priority"),
    _pending("QOSMaxJobsPerUserLimit"),
)


def clusters(writer: Writer) -> None:
    """Runs on `alps`, which is well, on `etna`, which can't be reached, and here."""
    names = files(len(JOBS) * _TASKS)
    _tell_jobs(
        writer,
        Tale(
            RUN,
            "segment-plate-7",
            items=names,
            states=_states(),
            reasons={2 * _TASKS + 17: "out of memory: asked 2 GB, reached 3.1 GB"},
            began=1500,
            slots=_SLOTS,
            command=("python3", "segment.py", "{item}", "masks/{stem}.npy"),
            resource="alps",
            profile="mira",
        ),
        JOBS,
    )
    tell(
        writer,
        Tale(
            LOST,
            "denoise",
            items=files(80),
            states={**dict.fromkeys(range(52), State.DONE), 52: State.RUNNING, 53: State.RUNNING},
            began=2400,
            command=("python3", "denoise.py", "{item}"),
            resource="etna",
            profile="mira",
        ),
    )
    tell(
        writer,
        Tale(
            "7w2mh4ze",
            "convert-plate-7",
            items=files(64),
            states={**dict.fromkeys(range(40), State.DONE), 40: State.RUNNING, 41: State.RUNNING},
            began=62,
            command=("magick", "{item}", "png/{stem}.png"),
        ),
    )
    tell(
        writer,
        Tale(
            HELD,
            "measure-plate-7",
            State.PENDING,
            files(240),
            began=95,
            reason=HELD_BACK,
            command=("python3", "measure.py", "{item}"),
            resource="alps",
            profile="mira",
        ),
    )
    with writer.change() as change:
        change.keep_place("alps", "mira", ALPS, Line(True, 0.0236), now=T0 - 3)
        change.keep_place("etna", "mira", ETNA, Line(True, 0.031), now=T0 - 312)
        change.keep_place("etna", "mira", ETNA, Line(False, None, NO_ROUTE), now=T0 - 4)
        change.add_commands(COMMANDS)


def all_wait(writer: Writer, reason: str, **columns: Any) -> None:
    """All batches of `RUN` wait, for the same *reason*, and no task of it has failed."""
    with writer.change() as change:
        waits = {"state": State.PENDING.value, "scheduler_state": "PENDING", "scheduler_reason": reason}
        change.update("batches", {"run": RUN}, {**waits, "reason": "", "hosts": "", **columns})
        change.execute("DELETE FROM slots WHERE run = ?", (RUN,))
        change.update("tasks", {"run": RUN}, {"state": State.PENDING.value, "reason": ""})
        change.recount(RUN)


_SQUEUE = (
    "squeue --noheader --array --states=all --user=mira --name=ry-5mq8x2ra-000,ry-5mq8x2ra-001 "
    "--format='@4c1f09aa|%i|%T|%M|%l|%D|%C|%m|%P|%u|%U|%N|%r@4c1f09aa:%j@4c1f09aa.'"
)
_QUEUE = (
    "@4c1f09aa|40117|RUNNING|8:02|2:00:00|1|4|8G|main|mira|1001|cn11|None@4c1f09aa:ry-5mq8x2ra-003@4c1f09aa."
)

COMMANDS = (
    CommandRecord(T0 - 1530, ALPS, "mkdir -p -m 700 -- /scratch/mira/runyard/5mq8x2ra", 0, 0.004, "", ""),
    CommandRecord(T0 - 1530, ALPS, "sbatch --parsable < 81452 bytes", 0, 0.012, "40114\n", ""),
    CommandRecord(T0 - 1529, ALPS, "sbatch --parsable < 81460 bytes", 0, 0.011, "40115\n", ""),
    CommandRecord(T0 - 1528, ALPS, _SQUEUE, 0, 0.019, f"{_QUEUE}\n", ""),
    CommandRecord(T0 - 1526, ALPS, "read 10 files, 18 kB", 0, 0.006, "", ""),
    CommandRecord(
        T0 - 312, ETNA, _SQUEUE, 0, 0.031, "\x1b[31mWelcome to [bold]etna[/]\x1b[0m\n" + _QUEUE, ""
    ),
    CommandRecord(
        T0 - 93,
        ALPS,
        "sbatch --parsable < 79903 bytes",
        1,
        0.021,
        "",
        "sbatch: error: QOSMaxSubmitJobPerUserLimit\n"
        "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy\n",
    ),
    CommandRecord(T0 - 66, ETNA, _SQUEUE, None, 30.0, "", "no answer: the line was lost"),
    CommandRecord(T0 - 61, ALPS, "scancel --batch --signal=USR1 --user=mira 40119", 0, 0.009, "", ""),
    CommandRecord(T0 - 5, ALPS, _SQUEUE, 0, 0.024, f"{_QUEUE}\n" * 5, ""),
    CommandRecord(T0 - 3, ALPS, "read 3 files, 2.1 kB", 0, 0.005, "", ""),
)
"""What was run on the clusters, in the order of its end."""


QUESTION = Question(
    3,
    ALPS,
    Kind.CODE,
    "login.alps.example wants more than the key:\nTwo-factor login of ALPS",
    (Prompt("Verification code:", False),),
)
"""What `alps` might ask."""


def _states() -> dict[int, State]:
    states: dict[int, State] = {}
    for number, job in enumerate(JOBS):
        first = number * _TASKS
        states |= dict.fromkeys(range(first, first + job.done + job.failed), State.DONE)
        if job.failed:
            states[first + 17] = State.FAILED
        if job.state is State.RUNNING:
            states |= dict.fromkeys(range(first + job.done, first + job.done + _SLOTS), State.RUNNING)
    return states


def _tell_jobs(writer: Writer, tale: Tale, jobs: tuple[Job, ...]) -> None:
    """Write one run whose tasks are in *jobs*."""
    tell(writer, tale)
    with writer.change() as change:
        change.execute("DELETE FROM batches WHERE run = ?", (tale.id,))
        change.execute("DELETE FROM slots WHERE run = ?", (tale.id,))
        for number, job in enumerate(jobs):
            _tell_job(change, tale, number, job)
        change.recount(tale.id)


def _tell_job(change: Change, tale: Tale, number: int, job: Job) -> None:
    token = f"ry-{tale.id}-{number:03}-abcdefgh"
    first = number * _TASKS
    change.insert(
        "batches",
        {
            "token": token,
            "run": tale.id,
            "step": 0,
            "number": number,
            "slots": _SLOTS,
            "state": job.state.value,
            "worker_state": {State.PENDING: "", State.RUNNING: "hello"}.get(job.state, "bye"),
            "scheduler_state": job.scheduler,
            "native_id": str(40114 + number),
            "nodes": 1,
            "limit_s": 7200.0,
            "partition": "long,main" if job.state is State.PENDING else "main",
            "folder": f"/scratch/mira/runyard/{tale.id}/0_{tale.name}/batches/{token}",
            "created": T0 - 1530,
            "started": None if job.state is State.PENDING else T0 - 1498,
            **job.columns,
        },
    )
    change.execute(
        'UPDATE tasks SET batch = ?, revision = ? WHERE run = ? AND "index" BETWEEN ? AND ?',
        (token, change.revision, tale.id, first, first + _TASKS - 1),
    )
    if job.state is State.RUNNING:
        for slot in range(_SLOTS):
            change.insert(
                "slots",
                {
                    "batch": token,
                    "slot": slot,
                    "run": tale.id,
                    "state": "busy",
                    "host": job.columns["host"],
                    "pid": 5000 + slot,
                    "task": first + job.done + slot,
                    "since": T0 - 12.0 - slot,
                    "rss_mb": 810.0 + 31 * slot,
                    "cpu_s": 11.4 + slot,
                    "cpu_percent": 98.0 - 7 * slot,
                    "heard": T0 - 3,
                },
            )
