"""What has become of the tasks of a step, by the events of their batches. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runners.batches import WORKER_DIED, WORKER_DIED_BEFORE, TaskFailedError
from runners.events import Event
from runners.states import State

TIME_LIMIT = "time limit"
"""Why tasks were left that another batch may take up."""


class Outcomes:
    """Results and exceptions by index; a task is in one of them once it has its verdict."""

    def __init__(self) -> None:
        self.results: dict[int, Any] = {}
        self.exceptions: dict[int, BaseException] = {}
        self.wanted: dict[int, str] = {}
        """Files that hold the results of tasks that ended well."""
        self._started: set[int] = set()
        self._interrupted: dict[int, str] = {}
        """Tasks that were ended from outside, and why: if their batch starts again, so do they."""

    def __contains__(self, index: int) -> bool:
        return index in self.results or index in self.exceptions or index in self.wanted

    def take_in(self, events: Iterable[Event]) -> Sequence[int]:
        """Take in what a worker tells; returns the indices of tasks for which its job had no time left."""
        left: list[int] = []
        for event in events:
            detail = event.detail
            if event.kind == "start":
                self._started.add(detail["i"])
                self._interrupted.pop(detail["i"], None)
            elif event.kind == "end":
                self._end(detail)
            elif event.kind == "left" and not detail.get("again"):
                indices = [i for first, last in detail["i"] for i in range(first, last + 1)]
                if detail["why"] == TIME_LIMIT:
                    left += indices
                else:
                    self.fail(indices, f"not started: {detail['why']}")
        return left

    def fail(self, indices: Iterable[int], reason: str) -> None:
        """Tasks among *indices* that have no verdict have failed."""
        for index in indices:
            self._fail(index, reason)

    def bury(self, indices: Iterable[int], why: str) -> None:
        """The batch of the tasks *indices* is gone; *why* is empty where nobody knows."""
        for index in indices:
            if index in self._interrupted:
                self._fail(index, why or self._interrupted[index])
            elif index in self._started:
                self._fail(index, why or WORKER_DIED)
            else:
                self._fail(index, f"not started: {why}" if why else WORKER_DIED_BEFORE)

    def found(self, index: int, result: Any) -> None:
        """The result that a file held."""
        del self.wanted[index]
        self.results[index] = result

    def lost(self, index: int, reason: str) -> None:
        """The result can't be had."""
        del self.wanted[index]
        self._fail(index, f"its result can't be read: {reason}")

    def _end(self, detail: Mapping[str, Any]) -> None:
        index = detail["i"]
        if detail.get("again"):
            self._interrupted[index] = detail["why"]
        elif detail["state"] != State.DONE:
            self._fail(index, detail["why"], exit_code=detail.get("exit"), signal=detail.get("signal"))
        elif "result_path" in detail:
            self.wanted[index] = detail["result_path"]
        else:
            self.results[index] = detail.get("result")

    def _fail(
        self, index: int, reason: str, *, exit_code: int | None = None, signal: str | None = None
    ) -> None:
        if index not in self:
            self.exceptions[index] = TaskFailedError(reason, exit_code=exit_code, signal=signal)
