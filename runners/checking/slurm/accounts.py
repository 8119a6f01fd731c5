"""What `sacctmgr` tells of a user: accounts, QOS, and how many jobs there may be. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runners.slurm.notation import parse_clock

_ASSOCIATION = "account,user,partition,qos,defaultqos,maxsubmitjobs,maxwall,maxtres,grptres,maxjobs,grpjobs"
_USER = "user,defaultaccount,adminlevel"
_QOS = (
    "name,flags,maxwall,maxsubmitjobsperuser,maxsubmitjobsperaccount,grpsubmitjobs,"
    "maxtresperjob,maxtresperuser,grptres,maxjobsperuser,grpjobs"
)
_ACCOUNT = "account,parentname,grpsubmitjobs,user,grptres,grpjobs"

RUNNING = "jobs"
"""Stands among the trackable resources (TRES) for jobs that run at a time."""
Amounts = Mapping[str, float]
"""How much there may be of each trackable resource: cpu, node, mem (MB), gres/gpu, and `RUNNING`."""

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
    most_s: float | None
    row: str
    of_job: Amounts = field(default_factory=dict)
    """What one job may have."""
    of_all: Amounts = field(default_factory=dict)
    """What all jobs that run may have together."""


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
    of_job: Amounts = field(default_factory=dict)
    of_user: Amounts = field(default_factory=dict)
    of_all: Amounts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """An account by itself."""

    parent: str
    most_jobs: int | None
    """Of all its users and accounts below it together."""
    row: str
    of_all: Amounts = field(default_factory=dict)


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
    found = [
        Association(
            account,
            partition,
            tuple(filter(None, allowed.split(","))),
            usual,
            _count(most),
            parse_clock(wall),
            row,
            _amounts(of_job, running),
            _amounts(of_all, all_running),
        )
        for row, (
            account,
            _,
            partition,
            allowed,
            usual,
            most,
            wall,
            of_job,
            of_all,
            running,
            all_running,
        ) in _rows(associations, _ASSOCIATION)
        if account
    ]
    people = [cells for _, cells in _rows(users, _USER)]
    return Accounts(
        user=user,
        associations=tuple(found),
        default_account=next((account for name, account, _ in people if name == user), ""),
        admins=frozenset(name for name, _, level in people if level.lower() not in ("", "none")),
        qos={
            name: Qos(
                name,
                frozenset(filter(None, flags.lower().split(","))),
                parse_clock(wall),
                _count(of_user),
                _count(of_account),
                _count(all_jobs),
                row,
                _amounts(tres_of_job),
                _amounts(tres_of_user, running),
                _amounts(tres_of_all, all_running),
            )
            for row, (
                name,
                flags,
                wall,
                of_user,
                of_account,
                all_jobs,
                tres_of_job,
                tres_of_user,
                tres_of_all,
                running,
                all_running,
            ) in _rows(qos, _QOS)
        },
        accounts={
            name: Account(parent, _count(most), row, _amounts(of_all, all_running))
            for row, (name, parent, most, of_user, of_all, all_running) in _rows(accounts, _ACCOUNT)
            if not of_user
        },
        cluster=cluster,
    )


def _rows(text: str, fields: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == fields.count(",") + 1:
            yield line, cells


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _amounts(text: str, running: str = "") -> dict[str, float]:
    """`cpu=4,mem=50G` and how many jobs may run; what can't be read counts as no limit."""
    found = {}
    for item in text.split(","):
        if match := _TRES.fullmatch(item.strip()):
            name = match[1].lower()
            unit = _MB_IN[match[3].upper()] if name == "mem" else 1.0
            found[name] = float(match[2]) * unit
    if (jobs := _count(running)) is not None:
        found[RUNNING] = float(jobs)
    return found
