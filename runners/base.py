"""What every runner offers.

A runner knows one way to run batches: on this machine, on a cluster. It keeps no record of its own: the
holder (the engine, or :meth:`BaseRunner.multisubmit`) remembers which batches there are, and how far it has
read.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.batches import BatchRef, BatchSpec, Launched, Line, LogChunk, Pace, Report, Watched
from runners.findings import Finding
from runners.plan import Plan
from runners.submitting import Submission
from runners.workflow import Item, Step

if TYPE_CHECKING:
    from runners.sample import Sample


class BaseRunner(ABC):
    """One way to run batches.

    All verbs are bounded in time. Cancelling the task that awaits one never cancels work: a launch may have
    happened or not, and is asked for again to find out.
    """

    @property
    @abstractmethod
    def jobs_folder(self) -> str:
        """Absolute path of the folder that runs get their own folders in, where they name no other."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where and as whom it runs batches, and how one gets there: those of one place share a line."""

    @property
    def owner(self) -> str:
        """Where and as whom only: runners of one owner can look at each other's batches."""
        return self.place

    @property
    @abstractmethod
    def pace(self) -> Pace:
        """How often to look at its batches."""

    @property
    @abstractmethod
    def line(self) -> Line:
        """How its resource could be reached the last time something was asked of it."""

    @abstractmethod
    async def reach(self) -> Line:
        """Ask something small of the resource, and return how it can be reached. Raises nothing."""

    @abstractmethod
    def check(self, sample: "Sample") -> AsyncIterator[Finding]:
        """Preflight: what would keep runs from working, found out without starting one or changing anything.

        Findings come as soon as they are there. Nobody is asked anything, and nothing is raised: what can't
        be told is a finding as well. Ending the iteration early, or cancelling it, ends what was begun.

        Args:
            sample: the work that the scheduler is asked about.
        """

    @abstractmethod
    def plan(self, step: Step, tasks: int) -> Plan:
        """How *tasks* tasks of *step* become batches. Pure.

        Raises:
            ConfigError: they can't.
        """

    @abstractmethod
    async def prepare(self, batches: Sequence[BatchSpec]) -> None:
        """Put in place what *batches* need, starting nothing. Doing it again changes nothing.

        Raises:
            RunnerError: a folder can't be made or written. What this call made is left for `discard`.
        """

    @abstractmethod
    async def discard(self, folder: str) -> None:
        """Remove *folder*, of a run that never was, with all that `prepare` put there.

        Raises:
            RunnerError: it can't be removed.
        """

    @abstractmethod
    async def launch(self, batches: Sequence[BatchRef]) -> Sequence[Launched]:
        """Start prepared *batches*, each once however often this is called: it looks for each first.

        Raises:
            RunnerError: the resource can't be reached; nothing is known to have been started.
        """

    @abstractmethod
    async def poll(self, batches: Sequence[Watched]) -> Sequence[Report]:
        """One look at all *batches*.

        Raises:
            RunnerError: the resource can't be reached, which says nothing about the batches.
        """

    @abstractmethod
    async def cancel(self, batch: BatchRef, tasks: Sequence[int] | None = None) -> bool:
        """Cancel *batch*, or only *tasks* of it; what was cancelled shows in its events.

        A batch that was not launched yet is kept from ever running these tasks. Returns whether the batch has
        been started, that is, whether events will tell the rest.

        Raises:
            RunnerError: the resource can't be reached.
        """

    @abstractmethod
    async def read_log(self, path: str, offset: int, limit: int) -> LogChunk:
        """At most *limit* bytes of the file *path* from *offset* on; a negative offset counts from its end.

        Raises:
            RunnerError: the file is there but can't be read.
        """

    @abstractmethod
    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        """Whole files, all in one stream; None for one that is not there, or holds more than *limit* bytes.

        Raises:
            RunnerError: the resource can't be reached.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything; batches go on."""

    async def submit(
        self,
        step: Step,
        folder: Path,
        *,
        items: Sequence[Item] = (),
        workdir: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[Any, BaseException | None]:
        """Run a step that runs once, and return (its result, None) or (None, what went wrong).

        The arguments, the result, and what is raised and what cancelling does are those of
        :meth:`multisubmit`; *items* are what ``{args_json}`` lists.
        """
        results, exceptions = await self.multisubmit(
            step, items, folder, workdir=workdir, environment=environment
        )
        return results.get(0), exceptions.get(0)

    async def multisubmit(
        self,
        step: Step,
        items: Sequence[Item],
        folder: Path,
        *,
        workdir: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[dict[int, Any], dict[int, BaseException]]:
        """Run a step on all *items*, and return results and exceptions by the index of the item.

        A result is the JSON that the task left at ``{out_json}``, None where it left none. A task that did
        not end well has a :class:`TaskFailedError`; whatever happens, each index is in one of the two.

        Cancelling the task that awaits this detaches: the batches go on. The same call again, with the
        same *folder*, takes them up and starts nothing twice.

        Args:
            step: what to run.
            items: what to run it on.
            folder: absolute; the step's own, for arguments, logs and results. A folder runs one step once.
            workdir: what the tasks start in; *folder* unless given.
            environment: the whole environment of the tasks; this process's own unless given.

        Raises:
            ConfigError: the step can't be planned.
            TemplateError: its command can't be rendered.
            RunnerError: its files can't be put in place, or the resource can't be reached for the launch.
        """
        submission = Submission(
            self,
            step,
            items,
            str(folder),
            workdir=None if workdir is None else str(workdir),
            environment=environment,
        )
        await submission.run()
        return submission.outcomes.results, submission.outcomes.exceptions
