"""A cluster elsewhere: commands run on its login node, over SSH."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from runners.config.profile import SlurmSSHProfile
from runners.config.resource import SlurmSSHResource
from runners.findings import Finding, FindingState
from runners.sample import Sample
from runners.slurm.base import BaseSlurmRunner
from runners.slurm.life import Patience
from runners.transport.base import Transport
from runners.transport.login import owner_of, place_of
from runners.transport.ssh import SSHTransport


class SlurmSSHRunner(BaseSlurmRunner):
    """Runs batches as the user who logs in."""

    def __init__(
        self,
        resource: SlurmSSHResource,
        profile: SlurmSSHProfile,
        *,
        transport: Transport,
        line: SSHTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Open nothing as yet.

        Args:
            resource: the cluster.
            profile: who logs in, and the folders there.
            transport: to the login node; perhaps shared with others, and closed with this runner.
            line: the one over SSH that *transport* passes all on to, where it is not one itself.
            patience: how long to wait for what.
        """
        super().__init__(resource, transport, user=profile.username, patience=patience)
        self._resource: SlurmSSHResource = resource
        self._profile = profile
        self._line = line or (transport if isinstance(transport, SSHTransport) else None)
        self._host = resource.host

    @property
    def jobs_folder(self) -> str:
        """See :attr:`BaseRunner.jobs_folder`."""
        return self._profile.jobs_remote_dir

    @property
    def place(self) -> str:
        """See :attr:`BaseRunner.place`."""
        return place_of(self._profile.username, self._host, self._profile.ssh_key_path)

    @property
    def owner(self) -> str:
        """See :attr:`BaseRunner.owner`."""
        return owner_of(self._profile.username, self._host)

    async def check(self, sample: Sample) -> AsyncIterator[Finding]:
        """See :meth:`BaseRunner.check`."""
        # Here, so that what only checks need is not loaded by every engine.
        from runners.check import check_ssh

        if self._line is None:
            detail = "There is no line over SSH that could be looked at."
            yield Finding(
                "login", FindingState.UNTOLD, detail, "Check it from the shell: runyard resource check NAME"
            )
            return
        checked = check_ssh(self._resource, self._profile, self._line, self._transport, sample)
        async with contextlib.aclosing(checked) as findings:
            async for finding in findings:
                yield finding
