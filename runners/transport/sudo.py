"""Commands and files of this machine as another user, through sudo.

A site grants five commands and no others: sbatch, scancel, cat, ls and mkdir. What only looks (squeue and the
like) runs as ourselves.
"""

import asyncio
import functools
import os
import pwd
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from runners.batches import Line
from runners.environment import own_environment
from runners.transport.base import (
    READ_S,
    Command,
    Exchange,
    Part,
    Piece,
    Reply,
    Transport,
    TransportError,
    UnreachableError,
    as_sentence,
    fault_of,
)
from runners.transport.cat import CatError, Start, read_starts
from runners.transport.local import in_turn, run_here
from runners.transport.near import NEAR_BYTES, TAIL, is_far, part_of, tail_of, whole_of
from runners.transport.records import Record, Recorder

GRANTED = ("sbatch", "scancel", "cat", "ls", "mkdir")
"""The commands that run as the other user."""

OWN = ("squeue", "sacct", "sinfo", "scontrol", "sacctmgr", "id")
"""The commands that run as ourselves."""

_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")
_NO_USER = re.compile(r"^sudo: unknown user:? ", re.MULTILINE)
_NO_TERMINAL = re.compile(r"^sudo: .*you must have a tty", re.MULTILINE)
_REFUSED = re.compile(
    r"^sudo: .*(a password is required|a terminal is required|no valid sudoers sources|"
    r"account validation failure|PAM account management error|[Aa]ccount .*expired|"
    r"must be owned by uid 0|effective uid is not 0|no new privileges)"
    r"|is not allowed to (execute|run sudo)|may not run sudo on|is not in the sudoers file",
    re.MULTILINE,
)
"""What sudo says, in English, when it does not run a command."""


class SudoTransport(Transport):
    """This machine, as the user *user*.

    Args:
        user: whom to act for.
        sudo: the command that is sudo, and what goes before it.
        own: what goes before the commands that run as ourselves.
        record: takes in what was run.
    """

    def __init__(
        self,
        user: str,
        *,
        sudo: Sequence[str] = ("sudo",),
        own: Sequence[str] = (),
        record: Record | None = None,
    ) -> None:
        self.user = user
        self._sudo = (*sudo, "-n")
        self._as_user = (*sudo, "-n", "-H", "-u", user, "--")
        self._own = tuple(own)
        self._records = Recorder(f"sudo:{user}", record)
        self._line = Line(up=None)

    @property
    def line(self) -> Line:
        """See :attr:`Transport.line`."""
        return self._line

    @property
    def whole_reads(self) -> bool:
        """See :attr:`Transport.whole_reads`."""
        return True

    async def try_granted(self, name: str, *arguments: str, timeout_s: float) -> Reply:
        """Run one of `GRANTED` as the user, and return what came back, be it sudo's own refusal.

        Raises:
            TransportError: sudo can't be started.
        """
        return await self._bare((*self._as_user, path_of(name), *arguments), timeout_s)

    async def ask_sudo(self, *arguments: str, timeout_s: float) -> Reply:
        """What sudo itself answers, as with ``-l``. It asks nobody for a password.

        Raises:
            TransportError: sudo can't be started.
        """
        return await self._bare((*self._sudo, *arguments), timeout_s)

    async def run_own(self, *argv: str, timeout_s: float) -> Reply:
        """Run any command as whoever asks sudo.

        Raises:
            TransportError: it can't be started.
        """
        return await self._bare((*self._own, *argv), timeout_s)

    async def exchange(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece] = (),
        *,
        timeout_s: float,
        stop: bool = False,
    ) -> Exchange:
        """See :meth:`Transport.exchange`. Cancelling ends the command that runs.

        Of a file that holds more than `NEAR_BYTES`, only so much from its start, and what the file named like
        it with `TAIL` says of its end, can be read. A part may begin later than asked for.

        Raises:
            UnreachableError: sudo refuses.
            TransportError: a command can't be started, or the files can't be read.
            ValueError: a command is neither in `GRANTED` nor in `OWN`.
        """
        tried = False

        async def run(command: Command) -> Reply:
            nonlocal tried
            first, tried = not tried, tried or command.argv[0] in GRANTED
            return await self._run(command, timeout_s, first=first)

        with self._told():
            replies = await in_turn(commands, run, self._records, stop)
            parts = await self._read(pieces) if pieces else []
        return Exchange(replies, parts)

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        """See :meth:`Transport.fetch`."""
        began = time.monotonic()
        with self._told():
            found = await self._starts([path for path in paths if fault_of(path) is None], limit)
        fetched = [whole_of(found.get(path)) for path in paths]
        parts = [None if data is None else Part(data, 0, len(data)) for data in fetched]
        self._records.has_read(parts, time.monotonic() - began)
        return fetched

    async def close(self) -> None:
        """See :meth:`Transport.close`; there is nothing to let go of."""

    async def _bare(self, argv: Sequence[str], timeout_s: float) -> Reply:
        command = Command(tuple(argv))
        run = functools.partial(run_here, timeout_s=timeout_s, environment=_environment())
        (reply,) = await in_turn([command], run, self._records, False)
        return reply

    def _argv(self, command: Command) -> tuple[str, ...]:
        name = command.argv[0]
        if name in GRANTED:
            return (*self._as_user, path_of(name), *command.argv[1:])
        if name in OWN:
            return (*self._own, path_of(name), *command.argv[1:])
        raise ValueError(f"{name!r} is not a command that can be run through sudo")

    async def _run(self, command: Command, timeout_s: float, *, first: bool) -> Reply:
        if command.argv[0] in GRANTED:
            self._check_user()
        argv = self._argv(command)
        try:
            whole = Command(argv, command.stdin)
            reply = await run_here(whole, timeout_s=timeout_s, environment=_environment())
        except TransportError as error:
            # Not started, that is.
            raise (UnreachableError if first else TransportError)(str(error)) from error
        if first and command.argv[0] in GRANTED and reply.code:
            self._check(reply.err.decode("utf-8", "replace"))
        return reply

    def _check_user(self) -> None:
        if self.user == "root":
            raise UnreachableError("nobody acts as root; name another user in the profile")
        if not _USER.fullmatch(self.user):
            raise UnreachableError(f"{self.user!r} can't be the name of a user; correct the profile")

    def _check(self, said: str) -> None:
        """Raises UnreachableError if it was sudo that has *said* this."""
        if _NO_USER.search(said):
            raise UnreachableError(
                f"there is no user {self.user!r} on this machine; correct the username of the profile"
            )
        if _NO_TERMINAL.search(said):
            raise UnreachableError(
                "sudo wants a terminal; ask the administrators of this machine for the line "
                f'"Defaults:{_own_name()} !requiretty" in its sudoers file'
            )
        if refusal := _REFUSED.search(said):
            line = said[said.rfind("\n", 0, refusal.start()) + 1 :].partition("\n")[0].removeprefix("sudo: ")
            grant = ", ".join(path_of(name) for name in GRANTED)
            raise UnreachableError(
                f"sudo does not let us act as {self.user!r} ({line}); ask this machine's administrators "
                f'for the line "{_own_name()} ALL=({self.user}) NOPASSWD: {grant}" in the sudoers file'
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What happens meanwhile is told by the line."""
        try:
            yield
        except TransportError as error:
            self._line = Line(up=False, trouble=as_sentence(error))
            raise
        self._line = Line(up=True)

    async def _read(self, pieces: Sequence[Piece]) -> Sequence[Part | None]:
        began = time.monotonic()
        good = [piece for piece in pieces if fault_of(piece.path) is None]
        # One for what is near the starts and for the tails; another only where a log has no tail.
        found = await self._starts([piece.path + TAIL if is_far(piece) else piece.path for piece in good])
        far = [piece.path for piece in good if is_far(piece) and tail_of(found[piece.path + TAIL]) is None]
        found |= await self._starts([path for path in far if path not in found])
        cut = list({piece.path for piece in good if piece.path in found and not found[piece.path].whole})
        sizes = await self._sizes(cut) if cut else {}
        parts = [part_of(piece, found, sizes) for piece in pieces]
        self._records.has_read(parts, time.monotonic() - began)
        return parts

    async def _starts(self, paths: Sequence[str], cap: int = NEAR_BYTES) -> dict[str, Start]:
        different = list(dict.fromkeys(paths))
        if not different:
            return {}
        self._check_user()
        try:
            async with asyncio.timeout(READ_S):
                cat = (*self._as_user, path_of("cat"))
                starts = await read_starts(cat, different, cap, _environment())
        except TimeoutError as error:
            raise TransportError(f"files could not be read within {READ_S:g} s") from error
        except TransportError as error:
            if isinstance(error, CatError):
                self._check(str(error))
            raise TransportError(f"files can't be read as {self.user!r}: {error}") from error
        return dict(zip(different, starts, strict=True))

    async def _sizes(self, paths: Sequence[str]) -> dict[str, int]:
        """How many bytes files hold, as far as it can be told."""
        argv = self._argv(Command(("ls", "-lnLUd", "--", *paths)))
        reply = await run_here(Command(argv), timeout_s=READ_S, environment=_environment())
        fields = [line.split(maxsplit=5) for line in reply.out.splitlines()]
        if len(fields) != len(paths):
            return {}
        sizes = zip(paths, (field[4] for field in fields if len(field) > 4), strict=False)
        return {path: int(size) for path, size in sizes if size.isdigit()}


def _own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _environment() -> dict[str, str]:
    # A library path of ours, from conda or a module, is not meant for the commands of the system.
    ours = {name: value for name, value in own_environment().items() if not name.startswith("LD_")}
    return ours | {"LC_ALL": "C", "SLURM_TIME_FORMAT": "standard"}


@functools.cache
def path_of(name: str) -> str:
    """Where a command is, since sudoers files name commands by their paths."""
    of_system = None if name in ("sbatch", "scancel", *OWN) else shutil.which(name, path="/usr/bin:/bin")
    return of_system or shutil.which(name) or shutil.which(name, path=os.defpath) or f"/usr/bin/{name}"
