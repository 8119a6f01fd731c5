"""The runners in use: one for each resource and profile, whatever the number of runs."""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import pwd
from collections.abc import AsyncIterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from runners.base import BaseRunner
from runners.config.errors import ConfigError, shown
from runners.config.files import Stored, read_profile, read_resource
from runners.config.home import Home
from runners.config.profile import Profile, SlurmSSHProfile, SlurmSudoProfile, refuse_other_kind
from runners.config.resource import LocalResource, Resource, SlurmSSHResource, SlurmSudoResource
from runners.engine.places import Key, Places
from runners.engine.refusal import RefusalError
from runners.explanation import About
from runners.local import LocalRunner
from runners.transport.base import TransportError
from runners.transport.questions import Kind, NoAnswerError, Prompt
from runners.transport.records import Record

if TYPE_CHECKING:
    from runners.slurm.ssh import SlurmSSHRunner
    from runners.slurm.sudo import SlurmSudoRunner
    from runners.transport.login import Ask, Login
    from runners.transport.ssh import SSHTransport

_USER_S = 10.0
"""How long finding a user may take: a directory service may be behind it, that does not answer."""


class Pool:
    """Opens runners, without reaching for their resources, and closes them all at the end."""

    def __init__(self, home: Home, places: Places, record: Record) -> None:
        """*places* asks people what a line needs to know, and *record* takes the commands that are run."""
        self._home = home
        self._places = places
        self._record = record
        self._open: dict[Key, tuple[tuple[str, str], BaseRunner]] = {}
        self._replaced: list[BaseRunner] = []
        self._lines: dict[Login, SSHTransport] = {}

    async def runner(self, resource: str, profile: str | None, *, to_start: bool = False) -> BaseRunner:
        """The runner for *resource* and *profile* as their files are now.

        Args:
            resource: its name.
            profile: the name of one of its profiles; only a local resource needs none.
            to_start: something new is to be started on it.

        Raises:
            ConfigError: there is no such resource or profile, or a file is broken.
            RefusalError: it takes nothing new, or there is no such user.
        """
        of, as_whom = await asyncio.to_thread(self._read, resource, profile)
        if to_start and of.value.prevent_new_submissions:
            raise RefusalError(
                f"The resource {resource!r} takes no new work at the moment "
                f"(prevent_new_submissions in {str(of.path)!r}); use another one, or change that "
                f"({About(resource=resource).setting('prevent_new_submissions', 'false')})."
            )
        key = (resource, profile)
        fingerprint = (of.fingerprint, as_whom.fingerprint if as_whom else "")
        if not self._has(key, fingerprint):
            runner = await self._make(of.value, as_whom.value if as_whom else None)
            # Another caller may have been faster.
            if not self._has(key, fingerprint):
                if key in self._open:
                    self._replaced.append(self._open[key][1])
                self._open[key] = (fingerprint, runner)
                self._places.enter(key, runner.place)
        return self._open[key][1]

    @contextlib.asynccontextmanager
    async def visit(self, resource: Resource, profile: Profile | None) -> AsyncIterator[BaseRunner]:
        """A runner for documents as they are given, which need not be those in the files, for a block.

        The line of a login that is in use is shared, and stays; what is opened only for this is closed at the
        end. There nobody is asked anything: what would need an answer fails, and says so.

        Raises:
            ConfigError: the profile is none for the resource.
        """
        self.match(resource, profile)
        runner: BaseRunner
        match resource, profile:
            case SlurmSudoResource(), SlurmSudoProfile():
                runner = await self._through_sudo(resource, profile, lenient=True)
            case SlurmSSHResource(), SlurmSSHProfile():
                login = await self._login(resource, profile)
                if (line := self._lines.get(login)) is not None:
                    yield self._behind(resource, profile, line)
                    return
                runner = self._behind(resource, profile, self._line_to(login, _ask_nobody))
            case _:
                runner = await self._make(resource, profile)
        try:
            yield runner
        finally:
            await runner.close()

    @staticmethod
    def match(resource: Resource, profile: Profile | None) -> None:
        """Refuse a pair that makes no runner.

        Raises:
            ConfigError: a cluster needs a profile, and each kind of resource its own.
        """
        if profile is None and not isinstance(resource, LocalResource):
            raise ConfigError(f"The resource {shown(resource.name)} needs a profile; name one of its own.")
        if profile is not None:
            refuse_other_kind(profile, resource.type)

    async def connect(self, place: str) -> None:
        """A person wants the line to *place*: it is tried at once, and they have time to answer."""
        for login, line in self._lines.items():
            if login.place == place:
                # Why it can't be had is told by the line.
                with contextlib.suppress(TransportError):
                    await line.connect()

    async def close(self) -> None:
        """Close all runners; what they started goes on."""
        for runner in [*self._replaced, *(runner for _, runner in self._open.values())]:
            await runner.close()

    def _has(self, key: Key, fingerprint: tuple[str, str]) -> bool:
        return key in self._open and self._open[key][0] == fingerprint

    def _read(self, resource: str, profile: str | None) -> tuple[Stored[Resource], Stored[Profile] | None]:
        folder = self._home.resources
        found = read_resource(folder, resource)
        if profile is not None:
            return found, read_profile(folder, resource, profile)
        if not isinstance(found.value, LocalResource):
            raise ConfigError(f"The resource {resource!r} needs a profile; name one of its own.")
        return found, None

    async def _make(self, resource: Resource, profile: Profile | None) -> BaseRunner:
        match resource, profile:
            case SlurmSudoResource(), SlurmSudoProfile():
                return await self._through_sudo(resource, profile)
            case SlurmSSHResource(), SlurmSSHProfile():
                login = await self._login(resource, profile)
                if login not in self._lines:
                    self._lines[login] = self._line_to(login, self._places.ask)
                return self._behind(resource, profile, self._lines[login])
            case LocalResource(), _:
                return LocalRunner(resource)
        raise AssertionError("a profile is read for resources of its own kind only")

    async def _through_sudo(
        self, resource: SlurmSudoResource, profile: SlurmSudoProfile, *, lenient: bool = False
    ) -> SlurmSudoRunner:
        """With *lenient*, a user of whom nothing is known is no reason for a refusal: a check tells of it."""
        try:
            home = await _home_of(profile.username)
        except RefusalError:
            if not lenient:
                raise
            home = posixpath.join("/home", profile.username)
        # Here and below: what only clusters need is not loaded where there is none.
        from runners.slurm.sudo import SlurmSudoRunner

        return SlurmSudoRunner(resource, profile, home=home, record=self._record)

    async def _login(self, resource: SlurmSSHResource, profile: SlurmSSHProfile) -> Login:
        # It takes some tenths of a second.
        await asyncio.to_thread(import_module, "runners.transport.ssh")
        from runners.transport.login import Login

        home = self._home
        key = profile.ssh_key_path
        return Login(resource.host, profile.username, key, home.ssh_config, home.known_hosts)

    def _line_to(self, login: Login, ask: Ask) -> SSHTransport:
        from runners.transport.ssh import SSHTransport

        return SSHTransport(login, ask=ask, record=self._record)

    def _behind(
        self, resource: SlurmSSHResource, profile: SlurmSSHProfile, line: SSHTransport
    ) -> SlurmSSHRunner:
        from runners.slurm.ssh import SlurmSSHRunner

        return SlurmSSHRunner(resource, profile, transport=line)


async def _ask_nobody(place: str, kind: Kind, text: str, prompts: Sequence[Prompt]) -> Sequence[str]:
    raise NoAnswerError(refused=False)


async def _home_of(user: str) -> str:
    """The home folder of *user*.

    Raises:
        RefusalError: there is no such user here, or nobody says so in time.
    """
    try:
        async with asyncio.timeout(_USER_S):
            found = await asyncio.to_thread(pwd.getpwnam, user)
    except KeyError:
        raise RefusalError(f"There is no user {user!r} on this machine; correct the profile.") from None
    except TimeoutError:
        raise RefusalError(f"This machine does not say within {_USER_S:g} s who {user!r} is.") from None
    return found.pw_dir
