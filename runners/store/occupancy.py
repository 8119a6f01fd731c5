"""The slots of a live batch as rows: what runs in each, and what it uses."""

from typing import Any

from runners.store.rows import BatchRow
from runners.store.writer import Change

_COLUMNS = ("state", "host", "pid", "task", "since", "rss_mb", "cpu_s", "cpu_percent", "heard")
_NEW: dict[str, Any] = {**dict.fromkeys(_COLUMNS), "state": "ready", "host": ""}
_FREE: dict[str, Any] = dict.fromkeys(_COLUMNS[3:])


class Occupancy:
    """Takes in events one by one, in memory, and writes each slot that has changed once."""

    def __init__(self, change: Change, batch: BatchRow) -> None:
        self._change = change
        self._batch = batch
        rows = change.query("SELECT * FROM slots WHERE batch = ?", (batch.token,))
        self._slots = {row["slot"]: {name: row[name] for name in _COLUMNS} for row in rows}
        self._changed: set[int] = set()

    def state(self, detail: dict[str, Any], time: float) -> None:
        """An agent said hello, died, or could not start."""
        slot = self._slot(detail["slot"])
        slot |= {**_FREE, "state": detail["state"], "pid": detail.get("pid"), "since": time}
        slot["host"] = str(detail.get("host") or slot["host"])

    def begin(self, number: int, task: int, time: float) -> None:
        """A task started in it."""
        self._slot(number).update(_FREE, state="busy", task=task, since=time)

    def end(self, number: int | None) -> None:
        """The task in it ended; None: it had not started."""
        if number is not None:
            self._slot(number).update(_FREE, state="ready")

    def hear(self, running: list[list[Any]], time: float) -> None:
        """A heartbeat: [slot, task, memory in MB, CPU time in seconds] of what is running.

        Memory and CPU time are None where the worker can't measure them.
        """
        for number, task, rss, cpu in running:
            slot = self._slot(number)
            if slot["task"] != task:
                continue
            used, since = (0.0, slot["since"]) if slot["heard"] is None else (slot["cpu_s"], slot["heard"])
            # Over less than a tenth of a second the clock's ticks would tell nonsense.
            if cpu is not None and used is not None and time - since >= 0.1:
                slot["cpu_percent"] = round(max(0.0, cpu - used) / (time - since) * 100, 1)
            slot |= {"rss_mb": rss, "cpu_s": cpu, "heard": time}

    def keep(self) -> None:
        """Write what has changed."""
        names = ", ".join(_COLUMNS)
        marks = ", ".join("?" * len(_COLUMNS))
        token, run = self._batch.token, self._batch.run
        self._change.execute_many(
            f"INSERT OR REPLACE INTO slots (batch, slot, run, revision, {names}) "
            f"VALUES (?, ?, ?, ?, {marks})",
            (
                (token, number, run, self._change.revision, *self._slots[number].values())
                for number in sorted(self._changed)
            ),
        )

    def _slot(self, number: int) -> dict[str, Any]:
        self._changed.add(number)
        return self._slots.setdefault(number, dict(_NEW))
