"""What `sacctmgr` tells of a user: accounts, QOS, and how many jobs there may be. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from runners.slurm.notation import parse_clock

RUNNING = "jobs"
"""Stands among the trackable resources (TRES) for jobs that run at a time."""
WALL = "wall"
"""Stands among them for time itself, whatever runs in it."""
Amounts = Mapping[str, float]
"""How much there may be of each trackable resource: cpu, node, mem (MB), gres/gpu, and these two."""


class Kind(StrEnum):
    """What limits are of, by what SLURM calls them."""

    LEAST = "MinTRESPerJob"
    """What one job must have."""
    JOB = "MaxTRESPerJob"
    NODE = "MaxTRESPerNode"
    """What one job may have of each node."""
    MINUTES = "MaxTRESMinsPerJob"
    """What one job may have, times the minutes of its time limit; so with the next but one."""
    USER = "MaxTRESPerUser"
    ACCOUNT = "MaxTRESPerAccount"
    ALL = "GrpTRES"
    """What all jobs that run may have together."""
    RUNNING_MINUTES = "GrpTRESRunMins"
    ALL_MINUTES = "GrpTRESMins"
    """What all jobs may have had together, ever."""


Limits = Mapping[Kind, Amounts]

_OF_JOBS = {
    Kind.ALL: "grptres",
    Kind.ALL_MINUTES: "grptresmins",
    Kind.RUNNING_MINUTES: "grptresrunmins",
}
"""The columns of limits on all jobs together; of users, and of QOS come more."""
_OF_USERS = {
    Kind.JOB: "maxtres",
    Kind.NODE: "maxtrespernode",
    Kind.MINUTES: "maxtresmins",
    **_OF_JOBS,
}
_OF_QOS = {
    **_OF_USERS,
    Kind.LEAST: "mintresperjob",
    Kind.JOB: "maxtresperjob",
    Kind.USER: "maxtresperuser",
    Kind.ACCOUNT: "maxtresperaccount",
}
_TOGETHER = "grpjobs,grpwall"

_ASSOCIATION = (
    "account,user,partition,qos,defaultqos,maxsubmitjobs,grpsubmitjobs,maxwall,maxjobs,"
    f"{_TOGETHER},{','.join(_OF_USERS.values())}"
)
_USER = "user,defaultaccount,adminlevel"
_QOS = (
    "name,flags,maxwall,maxsubmitjobsperuser,maxsubmitjobsperaccount,grpsubmitjobs,maxjobsperuser,"
    f"maxjobsperaccount,{_TOGETHER},{','.join(_OF_QOS.values())}"
)
_ACCOUNT = f"account,parentname,grpsubmitjobs,user,{_TOGETHER},{','.join(_OF_JOBS.values())}"

_TRES = re.compile(r"([a-z][\w/:.+-]*)=([0-9]{1,15}(?:\.[0-9]+)?)([KMGTP]?)", re.ASCII | re.IGNORECASE)
_MB_IN = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2, "P": 1024.0**3}


@dataclass(frozen=True, slots=True)
class Association:
    """That a user may be charged to an account."""

    account: str
    partition: str
    """Empty: in all partitions."""
    qos: tuple[str, ...]
    default_qos: str
    most_jobs: int | None
    """In the queue at a time, with what it inherits; None for any number."""
    jobs: int | None
    """The same as a limit on all together, which it does not inherit."""
    most_s: float | None
    row: str
    limits: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Qos:
    """A quality of service."""

    name: str
    flags: frozenset[str]
    """In small letters."""
    most_s: float | None
    jobs_of_user: int | None
    jobs_of_account: int | None
    jobs: int | None
    row: str
    limits: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """An account by itself."""

    parent: str
    most_jobs: int | None
    """Of all its users and accounts below it together."""
    row: str
    limits: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accounts:
    """All that was told."""

    user: str
    associations: tuple[Association, ...]
    default_account: str
    """Of the user; empty where there is none or it is not told."""
    admins: frozenset[str]
    """Those of the users asked for who see everything."""
    qos: Mapping[str, Qos]
    accounts: Mapping[str, Account]
    cluster: str
    """Its name, for commands to paste; empty where it is not known."""

    def charged(self, account: str | None) -> str:
        """The account that a job is charged to which names *account*; empty where that can't be told."""
        if account:
            return account.lower()
        own = {one.account for one in self.associations}
        return self.default_account or (own.pop() if len(own) == 1 else "")

    def of(self, account: str, partitions: Sequence[str]) -> list[Association]:
        """The user's associations with *account* that count in *partitions*, the narrowest first."""
        mine = [one for one in self.associations if one.account == account]
        counting = [one for one in mine if not one.partition or one.partition in partitions]
        return sorted(counting, key=lambda one: not one.partition)

    def above(self, account: str) -> Iterator[tuple[str, Account]]:
        """*account* and those above it."""
        seen: set[str] = set()
        while account in self.accounts and account not in seen:
            seen.add(account)
            yield account, self.accounts[account]
            account = self.accounts[account].parent


def account_commands(user: str, ourselves: str, cluster: str) -> list[tuple[str, ...]]:
    """What answers with what `read_accounts` reads."""
    here = [f"cluster={cluster}"] if cluster else []
    users = ",".join(dict.fromkeys(filter(None, (user, ourselves))))
    show = ("sacctmgr", "--noheader", "--parsable2", "show")
    return [
        (*show, "associations", "where", f"user={user}", *here, f"format={_ASSOCIATION}"),
        (*show, "user", "where", f"user={users}", f"format={_USER}"),
        (*show, "qos", f"format={_QOS}"),
        # An empty user: the accounts by themselves.
        (*show, "associations", "where", "user=", *here, f"format={_ACCOUNT}"),
    ]


def read_accounts(answers: Sequence[str], user: str, cluster: str) -> Accounts:
    """Read the four answers. Rows that are none of theirs are passed over."""
    associations, users, qos, accounts = answers
    people = [cells for _, cells in _rows(users, _USER)]
    return Accounts(
        user=user,
        associations=tuple(
            Association(
                of["account"],
                of["partition"],
                tuple(filter(None, of["qos"].split(","))),
                of["defaultqos"],
                _count(of["maxsubmitjobs"]),
                _count(of["grpsubmitjobs"]),
                parse_clock(of["maxwall"]),
                row,
                _limits(of, _OF_USERS, {Kind.USER: "maxjobs", Kind.ALL: "grpjobs"}),
            )
            for row, of in _rows(associations, _ASSOCIATION)
            if of["account"]
        ),
        default_account=next((of["defaultaccount"] for of in people if of["user"] == user), ""),
        admins=frozenset(of["user"] for of in people if of["adminlevel"].lower() not in ("", "none")),
        qos={
            of["name"]: Qos(
                of["name"],
                frozenset(filter(None, of["flags"].lower().split(","))),
                parse_clock(of["maxwall"]),
                _count(of["maxsubmitjobsperuser"]),
                _count(of["maxsubmitjobsperaccount"]),
                _count(of["grpsubmitjobs"]),
                row,
                _limits(
                    of,
                    _OF_QOS,
                    {Kind.USER: "maxjobsperuser", Kind.ACCOUNT: "maxjobsperaccount", Kind.ALL: "grpjobs"},
                ),
            )
            for row, of in _rows(qos, _QOS)
        },
        accounts={
            of["account"]: Account(
                of["parentname"],
                _count(of["grpsubmitjobs"]),
                row,
                _limits(of, _OF_JOBS, {Kind.ALL: "grpjobs"}),
            )
            for row, of in _rows(accounts, _ACCOUNT)
            if not of["user"]
        },
        cluster=cluster,
    )


def _rows(text: str, fields: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows, each by itself and by its columns."""
    columns = fields.split(",")
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == len(columns):
            yield line, dict(zip(columns, cells, strict=True))


def _limits(of: Mapping[str, str], columns: Mapping[Kind, str], running: Mapping[Kind, str]) -> Limits:
    """The limits of a row; *running*: the columns of how many jobs may run."""
    found = {kind: _amounts(of[column]) for kind, column in columns.items()}
    for kind, column in running.items():
        if (jobs := _count(of[column])) is not None:
            found.setdefault(kind, {})[RUNNING] = float(jobs)
    wall = parse_clock(of["grpwall"])
    if wall is not None:
        found[Kind.ALL_MINUTES][WALL] = wall / 60
    return found


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _amounts(text: str) -> dict[str, float]:
    """`cpu=4,mem=50G`; what can't be read counts as no limit."""
    found = {}
    for item in text.split(","):
        if match := _TRES.fullmatch(item.strip()):
            name = match[1].lower()
            unit = _MB_IN[match[3].upper()] if name == "mem" else 1.0
            found[name] = float(match[2]) * unit
    return found
