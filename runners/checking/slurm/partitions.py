"""What `scontrol show partition` and `sinfo` tell of partitions and their nodes. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runners.checking.slurm.gres import count_of, read_gres
from runners.config.units import parse_duration
from runners.slurm.notation import parse_count

# Options first: with POSIXLY_CORRECT, none is seen behind another word.
SHOW_PARTITIONS = ("scontrol", "--all", "--local", "--oneliner", "show", "partition")
_CELLS = "%R|%T|%D|%c|%m|%G|%f|%N"
_SHOW_NODES = ("sinfo", "--all", "--local", "--noheader", "--exact")
SHOW_NODES = (*_SHOW_NODES, f"--format={_CELLS}")
"""What to run by hand for what `nodes_command` brings."""

_KEY = re.compile(r"(?:^|\s)([A-Za-z]+)=(\S*)")
_ALL = ("", "all", "(null)", "n/a")
_NO_LIMIT = ("", "unlimited", "infinite", "none", "n/a", "(null)", "not_set", "partition_limit")
_WORKING = frozenset(
    "idle mixed allocated completing planned blocked powered_down powering_up powering_down reserved "
    "power_down power_up cloud reboot_requested".split()
)
_FREE = ("idle", "mixed", "allocated", "completing", "planned")
_MOVING = ("powering_up", "powering_down", "power_up", "power_down", "reboot_requested")
_MARKS = "*~#!%$@^-+"
"""What stands behind the state of a node; `*` of one that does not answer."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition."""

    name: str
    values: Mapping[str, str]
    row: str
    """As it was answered."""

    @property
    def state(self) -> str:
        """UP, DOWN, DRAIN or INACTIVE."""
        return self.values.get("State", "").upper()

    @property
    def most_s(self) -> float | None:
        """The longest time that jobs may have, infinity for any; None where it can't be told."""
        return _time(self.values.get("MaxTime"))

    @property
    def usual_s(self) -> float | None:
        """What jobs have that don't say; None where there is nothing of the kind."""
        text = self.values.get("DefaultTime", "")
        return None if text.lower() in _NO_LIMIT else _time(text)

    @property
    def nodes(self) -> int | None:
        """How many there are."""
        return self._number("TotalNodes")

    @property
    def most_nodes(self) -> int | None:
        """How many a job may have; None for any number."""
        return self._number("MaxNodes")

    @property
    def least_nodes(self) -> int:
        """How many a job must have."""
        return self._number("MinNodes") or 0

    @property
    def most_cpus(self) -> int | None:
        """How many CPUs of a node jobs may have; None for any number."""
        return self._number("MaxCPUsPerNode")

    @property
    def most_mb(self) -> int | None:
        """How much memory of a node a job may have; None for any."""
        return self._number("MaxMemPerNode")

    @property
    def most_mb_per_cpu(self) -> int | None:
        """How much memory with each CPU a job may have; None for any."""
        return self._number("MaxMemPerCPU")

    @property
    def qos(self) -> str:
        """Its own QOS; empty for none. Names of QOS have no case, those of accounts have."""
        return _cleared(self.values.get("QoS", "")).lower()

    @property
    def root_only(self) -> bool:
        return self.values.get("RootOnly", "").upper() == "YES"

    @property
    def reserved_only(self) -> bool:
        """Whether jobs must be part of a reservation."""
        return self.values.get("ReqResv", "").upper() == "YES"

    def listed(self, key: str) -> tuple[str, ...] | None:
        """Whom it is for, or not for; None where it does not say, or is for all."""
        text = self.values.get(key, "")
        return None if text.lower() in _ALL else tuple(filter(None, text.split(",")))

    def shown(self, *keys: str) -> str:
        """Some of it, as it was answered."""
        given = [f"{key}={self.values[key]}" for key in keys if key in self.values]
        return " ".join([f"PartitionName={self.name}", *given])

    def _number(self, key: str) -> int | None:
        return parse_count(self.values.get(key, ""))


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Nodes of a partition that have the same of everything and are in the same state."""

    partition: str
    state: str
    count: int
    cpus: int
    mb: int
    gres: Mapping[str, Mapping[str, int]] | None
    """How many of a type there are of each kind of devices; None where it can't be read."""
    features: frozenset[str]
    hostlist: str
    row: str
    """As it was answered."""

    @property
    def working(self) -> bool:
        """Whether they take jobs, now or when others have ended."""
        return is_working(self.state)

    @property
    def free(self) -> bool:
        """Whether nothing but jobs keeps them from others, so that the scheduler's trial counts on them."""
        return self.state.rstrip("-$") in _FREE

    @property
    def moving(self) -> bool:
        """Whether their power is being switched, until which the scheduler's trial does not count on them."""
        return self.state.rstrip(_MARKS) in _MOVING or any(mark in self.state for mark in "#%!")


def nodes_command(mark: str) -> tuple[str, ...]:
    """What answers with what `read_nodes` reads. Nodes that are alike are one row, however many there are."""
    return (*_SHOW_NODES, f"--format=@{mark}|{_CELLS}@{mark}.")


def read_partitions(text: str) -> dict[str, Partition] | None:
    """The partitions by their names; None where the answer is none."""
    found = {}
    for line in text.splitlines():
        if line.startswith("PartitionName="):
            values = dict(_KEY.findall(line))
            found[values["PartitionName"]] = Partition(values["PartitionName"], values, line)
        elif line.startswith("No partitions"):
            return {}
    return found or None


def read_nodes(text: str, mark: str) -> tuple[NodeGroup, ...] | None:
    """The nodes of all partitions; None where a row can't be read: then nothing is told of any."""
    groups = []
    for piece in text.split(f"@{mark}|")[1:]:
        row, ended, _ = piece.partition(f"@{mark}.")
        cells = row.split("|")
        # Features may hold what stands between the cells.
        if not ended or len(cells) < 8:
            return None
        partition, state, count, cpus, mb, gres, *features, hosts = cells
        # 1024 CPUs are 1K.
        numbers = [count_of(cell.strip().rstrip("+")) for cell in (count, cpus, mb)]
        if None in numbers:
            # Partitions without any nodes have a row all the same.
            if numbers[0] == 0:
                continue
            return None
        if not numbers[0]:
            continue
        groups.append(
            NodeGroup(
                partition,
                state.strip().lower(),
                numbers[0] or 0,
                numbers[1] or 0,
                numbers[2] or 0,
                read_gres(gres),
                frozenset(
                    filter(None, re.split(r"[,|]", "" if features == ["(null)"] else ",".join(features)))
                ),
                hosts,
                row,
            )
        )
    return tuple(groups)


def is_working(state: str) -> bool:
    """Whether a node in *state* takes jobs, now or when others have ended."""
    return "*" not in state and state.rstrip(_MARKS) in _WORKING


def groups_of(groups: Sequence[NodeGroup], partitions: Sequence[str]) -> list[NodeGroup]:
    """Those in any of *partitions*."""
    return [group for group in groups if group.partition in partitions]


def _time(text: str | None) -> float | None:
    if text is None:
        return None
    if text.lower() in _NO_LIMIT:
        return math.inf
    try:
        return float(parse_duration(text))
    except ValueError:
        return None


def _cleared(text: str) -> str:
    return "" if text.lower() in _ALL else text
