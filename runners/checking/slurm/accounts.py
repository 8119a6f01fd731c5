"""What `sacctmgr` tells of a user: accounts, QOS, and how many jobs there may be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runners.slurm.notation import parse_clock

_ASSOCIATION = "account,user,partition,qos,defaultqos,maxsubmitjobs,maxwall"
_USER = "user,defaultaccount,adminlevel"
_QOS = "name,flags,maxwall,maxsubmitjobsperuser,maxsubmitjobsperaccount,grpsubmitjobs"
_ACCOUNT = "account,parentname,grpsubmitjobs,user"


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


@dataclass(frozen=True, slots=True)
class Account:
    """An account by itself."""

    parent: str
    most_jobs: int | None
    """Of all its users and accounts below it together."""
    row: str


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
        )
        for row, (account, _, partition, allowed, usual, most, wall) in _rows(associations, _ASSOCIATION)
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
            )
            for row, (name, flags, wall, of_user, of_account, all_jobs) in _rows(qos, _QOS)
        },
        accounts={
            name: Account(parent, _count(most), row)
            for row, (name, parent, most, of_user) in _rows(accounts, _ACCOUNT)
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
