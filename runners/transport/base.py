"""How a command runs and a file is read, wherever that is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from runners.batches import Line


class TransportError(Exception):
    """Something could not be done over there; the text is a sentence without its full stop."""


class UnreachableError(TransportError):
    """The place can't be reached: nothing was sent, nothing was done."""


READ_S = 60.0
"""Seconds that reading files may take."""

TOO_LATE = 124
"""The exit code of a command that was killed because it took too long, as timeout(1) has it."""

NOT_RUN = -1000
"""In the place of the exit code of a command that was not run, because one before it had failed."""


ABSENT = ("No such file or directory", "Not a directory")
"""What commands say, in English, of a file that is not there."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command to run: an argument list, and never a shell's line."""

    argv: tuple[str, ...]
    stdin: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command answered."""

    code: int
    """Exit code; negative: the number of the signal that ended it."""
    out: bytes
    err: bytes

    @property
    def last_words(self) -> str:
        """The last line it said, on standard error if it said something there."""
        lines = (self.err.strip() or self.out.strip()).decode("utf-8", "replace").splitlines()
        return lines[-1] if lines else f"exit code {self.code}, without a word"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one round trip brought: an answer for each command, a part (or None) for each piece."""

    replies: Sequence[Reply]
    parts: Sequence["Part | None"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file that is wanted."""

    path: str
    offset: int
    """From where; negative: that many bytes before the end."""
    limit: int
    """How many bytes at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file that was read."""

    data: bytes
    offset: int
    size: int
    """Bytes in the whole file."""
    trouble: str = ""
    """Why it can't be read, where it is there and can't; as a sentence without its full stop."""


class Transport(ABC):
    """Commands and files of one place, as one user.

    Every verb is bounded in time. Cancelling the task that awaits one leaves it open whether it was done.
    """

    @property
    @abstractmethod
    def line(self) -> Line:
        """How the place could be reached the last time something was asked of it."""

    @property
    def whole_reads(self) -> bool:
        """Whether reading a part of a file costs reading all that comes before it."""
        return False

    def quiet(self) -> "Transport":
        """The same place, where nobody is asked anything: what would need an answer fails."""
        return self

    @abstractmethod
    async def exchange(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece] = (),
        *,
        timeout_s: float,
        stop: bool = False,
    ) -> Exchange:
        """Run *commands* one after the other, in the folder ``/``, then read *pieces*: all in one round trip.

        A command that takes longer than *timeout_s* seconds is killed, and counts as answered with 124. With
        *stop*, the commands after one that failed are not run, and count as answered with `NOT_RUN`.

        Raises:
            UnreachableError: the place can't be reached; nothing was done.
            TransportError: a command can't be started, or the line was lost: what was done is not known.
        """

    @abstractmethod
    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        """Read whole files, all in one stream; None for one that is not there or holds over *limit* bytes.

        Raises:
            TransportError: nothing can be read there at all.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let the connection go."""

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float) -> Reply:
        """Run one command; see :meth:`exchange`.

        Raises:
            TransportError: it can't be started, or took longer than *timeout_s* seconds and was killed.
        """
        exchange = await self.exchange([Command(tuple(argv), stdin)], timeout_s=timeout_s)
        (reply,) = exchange.replies
        if reply.code == TOO_LATE:
            raise TransportError(f"{argv[0]!r} gave no answer within {timeout_s:g} s")
        return reply

    async def read(self, pieces: Sequence[Piece]) -> Sequence[Part | None]:
        """Read parts of files, all in one go; None for a file that is not there.

        Raises:
            TransportError: nothing can be read there at all. One file that can't be read harms no other.
        """
        return (await self.exchange((), pieces, timeout_s=READ_S)).parts

    async def make_folders(self, paths: Sequence[str]) -> None:
        """Make folders, those above them too, open to their owner only; existing ones stay as they are.

        Raises:
            TransportError: a folder can't be made.
        """
        exchange = await self.exchange([make_folder(path) for path in paths], timeout_s=READ_S)
        for path, reply in zip(paths, exchange.replies, strict=True):
            if reply.code:
                raise TransportError(f"the folder {path!r} can't be made: {reply.last_words}")


def make_folder(*paths: str) -> Command:
    """The command that makes folders and those above them, each open to its owner only."""
    above = [path[:place] for path in paths for place in range(1, len(path)) if path[place] == "/"]
    # mkdir -p gives the folders above the mode of the umask, unless they are named themselves.
    return Command(("mkdir", "-p", "-m", "700", "--", *dict.fromkeys([*above, *paths])))


def fault_of(path: str) -> str | None:
    """Why a path can't be asked for."""
    if not path.startswith("/"):
        return "it is not an absolute path"
    if "\0" in path or "\n" in path:
        return "its name holds a NUL or a line break"
    return None


def trouble(path: str, why: str) -> Part:
    """What is got of a file that is there and can't be read."""
    return Part(b"", 0, 0, f"{path!r} can't be read: {why}")


def as_sentence(error: TransportError) -> str:
    """What *error* says, on its own."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
