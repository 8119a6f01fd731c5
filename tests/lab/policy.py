"""What a site allows: options of partitions, reservations, accounts and QOS; and how all of it is undone."""

from __future__ import annotations

import re

from tests.lab.accounting import ACCOUNT
from tests.lab.ground import Ground

_PARTITION = {
    "allowgroups": "ALL",
    "allowaccounts": "ALL",
    "denyaccounts": "",
    "allowqos": "ALL",
    "allocnodes": "ALL",
    "rootonly": "no",
    "hidden": "no",
    "maxnodes": "unlimited",
    "minnodes": "0",
    "maxmempernode": "0",
    "reqresv": "no",
    "qos": "",
}
"""Options of partitions that can be changed, with what they have in a lab that is well."""


class Policy:
    """What was changed of a lab's rules, so that it can be undone."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._options: set[tuple[str, str]] = set()
        self._undo: list[tuple[str, ...]] = []

    def partition(self, name: str, **options: str) -> None:
        """Set options of a partition, those of `_PARTITION`."""
        for option, value in options.items():
            self._options.add((name, option))
            self._set(name, option, value)

    def reservation(self, name: str, user: str, nodes: str, begins: str = "now+3hours") -> None:
        """Nodes that are kept for a user, without an end.

        Nodes whose reservation has begun are in a state of their own, which a lab that is well does not have.
        """
        words = (f"reservationname={name}", f"users={user}", f"nodes={nodes}", f"starttime={begins}")
        self._ground.must("scontrol", "create", "reservation", *words, "duration=infinite")

    def account(self, name: str, *users: str, partition: str = "") -> None:
        """Another account, for *users*. Only with accounting, as all that follows."""
        self._change(f"delete account {name}", "add", "account", name, f"cluster={self._ground.spec.name}")
        for user in users:
            where = [f"account={name}", *([f"partition={partition}"] if partition else [])]
            self._change(f"delete user {user} account={name}", "add", "user", user, *where)

    def qos(self, name: str, *settings: str) -> None:
        """Another QOS, that nobody may use."""
        self._change(f"delete qos {name}", "add", "qos", name, *settings)

    def limit_account(self, jobs: int) -> None:
        """How many jobs the users of the lab's account may have in the queue together."""
        undo = f"modify account {ACCOUNT} set grpsubmitjobs=-1"
        self._change(undo, "modify", "account", ACCOUNT, "set", f"grpsubmitjobs={jobs}")

    def limits(self, kind: str, name: str, *settings: str) -> None:
        """Settings of an `account` or a `user`, such as `maxtres=cpu=4` or `qos+=high`."""
        undo = [
            setting.replace("+=", "-=") if "+=" in setting else f"{setting.rpartition('=')[0]}=-1"
            for setting in settings
            if "," not in setting
        ]
        undo += ["maxtres=cpu=-1,mem=-1"] * (len(undo) < len(settings))
        self._change(f"modify {kind} {name} set {' '.join(undo)}", "modify", kind, name, "set", *settings)

    def undo(self) -> None:
        """As it was, the last change first."""
        # Those that there are, not those that were made: a controller saves its state some seconds late, and
        # one that is killed meanwhile knows again what had been deleted.
        for name in self._reservations():
            self._ground.must("scontrol", "delete", f"reservation={name}")
        while self._undo:
            self._ground.must("sacctmgr", "--immediate", *self._undo.pop())
        for name, option in self._options:
            self._set(name, option, _PARTITION[option])
        self._options.clear()

    def _reservations(self) -> list[str]:
        shown = self._ground.must("scontrol", "show", "reservation", "--oneliner")
        return re.findall(r"^ReservationName=(\S+)", shown, re.MULTILINE)

    def _set(self, name: str, option: str, value: str) -> None:
        self._ground.must("scontrol", "update", f"partition={name}", f"{option}={value}")

    def _change(self, undo: str, *words: str) -> None:
        self._ground.must("sacctmgr", "--immediate", *words)
        self._undo.append(tuple(undo.split()))
