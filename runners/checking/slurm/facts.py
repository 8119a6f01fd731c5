"""All that a cluster has told, for the checks of its sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runners.checking.slurm.accounts import Accounts
from runners.checking.slurm.jobs_ahead import JobAhead
from runners.checking.slurm.partitions import NodeGroup, Partition, groups_of
from runners.checking.slurm.reservations import Reservation
from runners.slurm.cluster_settings import SlurmSettings


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known; None stands for what could not be told."""

    settings: SlurmSettings
    user: str
    """Who owns the jobs."""
    partitions: Mapping[str, Partition] | None = None
    groups: Sequence[NodeGroup] | None = None
    user_groups: frozenset[str] | None = None
    """The user's, on the machine that submits."""
    accounts: Accounts | None = None
    places: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Lists of nodes as jobs name them, each with the names of the nodes."""
    homes: Mapping[str, frozenset[str]] | None = None
    """The partitions of the nodes that jobs name, by the node; one that is not there is in none."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Of these nodes."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why nodes take no jobs, by the node, where somebody has said so. Untrusted."""
    reservations: Sequence[Reservation] = ()
    """Those that are shown to us."""
    jobs: Sequence[JobAhead] | None = None
    """Those in the queue that are shown to us; None too where nothing is to be explained by them."""

    def partitions_of(self, asked: Sequence[str]) -> list[Partition]:
        """Those of the partitions that are there."""
        known = self.partitions or {}
        return [known[name] for name in asked if name in known]

    def groups_in(self, asked: Sequence[str]) -> list[NodeGroup] | None:
        """The nodes of partitions; None where that can't be told."""
        return None if self.groups is None else groups_of(self.groups, asked)

    @property
    def all_partitions(self) -> bool:
        """Whether jobs are only taken where all partitions that they name would have them."""
        return self._enforced_parts == "ALL"

    @property
    def tries_partitions(self) -> bool:
        """Whether jobs are not taken which a limit of their partition would let wait for ever."""
        return self._enforced_parts in ("ALL", "ANY", "YES")

    @property
    def _enforced_parts(self) -> str:
        return self.settings.values.get("EnforcePartLimits", "").upper()

    @property
    def charges(self) -> bool:
        """Whether jobs need an account that is their owner's."""
        return self.settings.accounting and "associations" in self.settings.enforced
