"""A cluster that this machine belongs to: commands run as another user, through sudo."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import AsyncIterator

from runners.config.profile import SlurmSudoProfile
from runners.config.resource import SlurmSudoResource
from runners.findings import Finding
from runners.sample import Sample
from runners.slurm.base import BaseSlurmRunner
from runners.slurm.life import Patience
from runners.transport.base import Transport
from runners.transport.records import Record
from runners.transport.sudo import SudoTransport


class SlurmSudoRunner(BaseSlurmRunner):
    """Runs batches as the user of a profile. squeue and the like run as ourselves."""

    def __init__(
        self,
        resource: SlurmSudoResource,
        profile: SlurmSudoProfile,
        *,
        home: str,
        transport: Transport | None = None,
        line: SudoTransport | None = None,
        record: Record | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Open nothing as yet.

        Args:
            resource: the cluster.
            profile: whom to act for.
            home: the absolute path of that user's home folder.
            transport: as that user; one through sudo unless given.
            line: the one through sudo that *transport* passes all on to, where it is not one itself.
            record: takes in what was run, where no transport is given.
            patience: how long to wait for what.
        """
        transport = transport or SudoTransport(profile.username, record=record)
        super().__init__(resource, transport, user=profile.username, as_user=False, patience=patience)
        self._resource: SlurmSudoResource = resource
        self._user = profile.username
        self._home = home
        self._line = line or (transport if isinstance(transport, SudoTransport) else None)

    @property
    def jobs_folder(self) -> str:
        """See :attr:`BaseRunner.jobs_folder`."""
        return posixpath.join(self._home, "runyard")

    @property
    def place(self) -> str:
        """See :attr:`BaseRunner.place`."""
        return f"sudo:{self._user}"

    async def check(self, sample: Sample) -> AsyncIterator[Finding]:
        """See :meth:`BaseRunner.check`. For a user who is not there, *home* may be anything."""
        # Here, so that what only checks need is not loaded by every engine.
        from runners.check import check_sudo

        line = self._line or SudoTransport(self._user)
        async with contextlib.aclosing(check_sudo(self._resource, line, self._transport, sample)) as findings:
            async for finding in findings:
                yield finding
