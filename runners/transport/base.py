"""How a command runs and a file is read, wherever that is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class TransportError(Exception):
    """Something could not be done over there; the text is a sentence without its full stop."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command answered."""

    code: int
    """Exit code; negative: the number of the signal that ended it."""
    out: bytes
    err: bytes


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

    @abstractmethod
    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float) -> Reply:
        """Run a command, an argument list and never a shell's line, in the folder ``/``.

        Raises:
            TransportError: it can't be started, or took longer than *timeout_s* seconds and was killed.
        """

    @abstractmethod
    async def read(self, pieces: Sequence[Piece]) -> Sequence[Part | None]:
        """Read parts of files, all in one go; None for a file that is not there.

        Raises:
            TransportError: nothing can be read there at all. One file that can't be read harms no other.
        """

    @abstractmethod
    async def write(self, files: Mapping[str, bytes]) -> None:
        """Write files whole, readable by their owner only: each is there entirely or as it was before.

        Raises:
            TransportError: a file can't be written.
        """

    @abstractmethod
    async def make_folders(self, paths: Sequence[str]) -> None:
        """Make folders, those above them too, open to their owner only; existing ones stay as they are.

        Raises:
            TransportError: a folder can't be made.
        """

    @abstractmethod
    async def remove(self, path: str) -> None:
        """Remove a folder and all in it; no error where there is none.

        Raises:
            TransportError: it can't be removed.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let the connection go."""
