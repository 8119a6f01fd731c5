"""Reservations: what `scontrol show reservation` tells, and where one is in the way of jobs. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from runners.checking.slurm.hostlists import brief, hosts_of
from runners.checking.slurm.trial import Word
from runners.checking.slurm.words import Put, evidence, names
from runners.config.errors import shown
from runners.findings import Finding

if TYPE_CHECKING:
    from runners.checking.slurm.facts import Facts

SHOW_RESERVATIONS = ("scontrol", "--oneliner", "show", "reservation")

_KEY = re.compile(r"(?:^|\s)([A-Za-z]+)=(\S*)")
_NOTHING = ("", "(null)")


@dataclass(frozen=True, slots=True)
class Reservation:
    """Nodes that are kept for somebody, or for something, for some time."""

    name: str
    nodes: frozenset[str]
    hostlist: str
    active: bool
    """It has begun, and has not ended."""
    begins: str
    ends: str
    whose: str
    """Users and accounts."""
    row: str
    """As it was answered."""


def read_reservations(text: str) -> tuple[Reservation, ...]:
    """Those that are shown to us. Rows that are none are passed over."""
    found = []
    for line in text.splitlines():
        if not line.startswith("ReservationName="):
            continue
        values = {key: "" if value in _NOTHING else value for key, value in _KEY.findall(line)}
        hosts = values.get("Nodes", "")
        people = [values.get(key, "") for key in ("Users", "Groups", "Accounts")]
        found.append(
            Reservation(
                values["ReservationName"],
                frozenset(hosts_of(hosts)),
                hosts,
                values.get("State", "").upper() == "ACTIVE",
                values.get("StartTime", ""),
                values.get("EndTime", ""),
                ", ".join(filter(None, people)),
                line,
            )
        )
    return tuple(found)


def own_reservation(put: Put, facts: Facts) -> Finding | None:
    """What is wrong with the reservation that jobs name, if something is."""
    option = "reservation"
    given = put.asked.options.get(option, "")
    one = next((one for one in facts.reservations if one.name == given), None)
    nodes, where = _nodes(put, facts), names(put.asked.partitions)
    denied = put.trial.word is Word.REFUSED and "reservation" in put.trial.said.lower()
    if one is None or not one.nodes or not nodes or denied:
        return None
    proof = evidence(SHOW_RESERVATIONS, one.row)
    if not one.nodes & nodes:
        return put.failure(
            "nodes",
            f"The reservation {shown(given)}, which jobs name, has no node of {where}, but "
            f"{brief(one.hostlist)}.",
            f"{put.without(option)}, or name a partition of these nodes.",
            proof,
            option=option,
            tried=True,
        )
    if not one.active:
        return put.warning(
            "nodes",
            f"The reservation {shown(given)}, which jobs name, begins only at {shown(one.begins)}: "
            "they wait until then.",
            f"{put.without(option)}, or launch when it has begun.",
            proof,
            option=option,
        )
    return None


def other_reservations(put: Put, facts: Facts, minutes: float | None) -> Sequence[Reservation]:
    """Those that together keep all nodes of the partitions from a job; none where some nodes are free for it.

    *minutes*: what it has from now on; None where that can't be told.
    """
    nodes = _nodes(put, facts)
    named = put.asked.options.get("reservation", "").split(",")
    today = facts.settings.today
    others = [
        one
        for one in facts.reservations
        if one.nodes & nodes and one.name not in named and not _is_later(one, today, minutes)
    ]
    kept = frozenset[str]().union(*(one.nodes for one in others))
    return others if nodes and nodes <= kept else []


def _is_later(one: Reservation, today: str, minutes: float | None) -> bool:
    """Whether a job that begins *today* has surely ended when the reservation begins."""
    try:
        ahead = datetime.fromisoformat(one.begins) - datetime.fromisoformat(today)
    except (ValueError, TypeError):
        return False
    # What time of today it is now is not known.
    return minutes is not None and (ahead - timedelta(days=1)).total_seconds() > minutes * 60


def _nodes(put: Put, facts: Facts) -> frozenset[str]:
    groups = facts.groups_in(put.asked.partitions) or []
    return frozenset(host for one in groups for host in hosts_of(one.hostlist))
