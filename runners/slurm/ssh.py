"""A cluster elsewhere: commands run on its login node, over SSH."""

from __future__ import annotations

from runners.config.profile import SlurmSSHProfile
from runners.config.resource import SlurmSSHResource
from runners.slurm.base import BaseSlurmRunner
from runners.slurm.life import Patience
from runners.transport.base import Transport


class SlurmSSHRunner(BaseSlurmRunner):
    """Runs batches as the user who logs in."""

    def __init__(
        self,
        resource: SlurmSSHResource,
        profile: SlurmSSHProfile,
        *,
        transport: Transport,
        patience: Patience | None = None,
    ) -> None:
        """Open nothing as yet.

        Args:
            resource: the cluster.
            profile: who logs in, and the folders there.
            transport: to the login node; perhaps shared with others, and closed with this runner.
            patience: how long to wait for what.
        """
        super().__init__(resource, transport, user=profile.username, patience=patience)
        self._profile = profile
        self._host = resource.host

    @property
    def jobs_folder(self) -> str:
        """See :attr:`BaseRunner.jobs_folder`."""
        return self._profile.jobs_remote_dir

    @property
    def place(self) -> str:
        """See :attr:`BaseRunner.place`."""
        return f"ssh:{self._profile.username}@{self._host}"
