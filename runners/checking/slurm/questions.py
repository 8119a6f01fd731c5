"""What is asked of a cluster, in few round trips, and how its answers become facts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from runners.checking.slurm.accounts import Accounts, account_commands, read_accounts
from runners.checking.slurm.asked import Asked
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.jobs_ahead import SHOW_JOBS, JobAhead, read_jobs
from runners.checking.slurm.node_reasons import read_reasons, reasons_command
from runners.checking.slurm.partitions import SHOW_PARTITIONS, nodes_command, read_nodes, read_partitions
from runners.checking.slurm.reservations import SHOW_RESERVATIONS, read_reservations
from runners.checking.slurm.trial import TRY, Trial, Trials, Word, read_trial
from runners.slurm.listings import new_mark
from runners.transport.base import NOT_RUN, Command, Reply, Transport, TransportError

ASK_S = 30.0
"""Seconds that one command may take: longer than they try by themselves where slurmctld is silent."""
ACCOUNTING_S = 15.0
TRY_S = 30.0
"""So with each trial, of which there may be four: what is known without them is told all the same."""
_NOT_FOUND = 127


async def ask(
    transport: Transport, commands: Sequence[Command], timeout_s: float, *, stop: bool = False
) -> Sequence[Reply]:
    """The answers to *commands*, in one round trip unless one of them can't be started.

    What can't be asked at all counts as answered with 127, and what was said of it.
    """
    if not commands:
        return []
    try:
        return (await transport.exchange(commands, timeout_s=timeout_s, stop=stop)).replies
    except TransportError as error:
        if len(commands) == 1:
            return [Reply(_NOT_FOUND, b"", str(error).encode())]
    replies: list[Reply] = []
    for command in commands:
        if stop and replies and replies[-1].code:
            replies.append(Reply(NOT_RUN, b"", b""))
        else:
            replies += await ask(transport, [command], timeout_s)
    return replies


async def ask_cluster(transport: Transport, facts: Facts, sets: Sequence[Asked]) -> Facts:
    """*facts* with the partitions, their nodes, the user's groups, and the nodes that jobs name."""
    mark, homes_mark, reasons_mark = new_mark(), new_mark(), new_mark()
    nodes = nodes_command(mark)
    lists = sorted(
        {
            text
            for one in sets
            for option in ("nodelist", "exclude")
            # A path of a file is not looked into, and what begins like an option is none of ours.
            if (text := one.options.get(option, "")) and "/" not in text and not text.startswith("-")
        }
    )
    looked_up = [("scontrol", "show", "hostnames", text) for text in lists]
    homes = (
        *("sinfo", "--all", "--local", "--noheader", "--Node"),
        *(f"--nodes={','.join(lists)}", f"--format=@{homes_mark}|%T|%R|%N@{homes_mark}."),
    )
    groups_of_user = ("id", "-Gn", "--", facts.user)
    reasons = reasons_command(reasons_mark)
    argvs = [SHOW_PARTITIONS, nodes, groups_of_user, SHOW_RESERVATIONS, reasons, *looked_up]
    argvs += [homes] if lists else []
    replies = await ask(transport, [Command(argv) for argv in argvs], ASK_S)
    # Of large clusters that takes a while.
    return await asyncio.to_thread(_facts_of, facts, replies, lists, mark, homes_mark, reasons_mark)


def _facts_of(
    facts: Facts,
    replies: Sequence[Reply],
    lists: Sequence[str],
    mark: str,
    homes_mark: str,
    reasons_mark: str,
) -> Facts:
    partitions, grouped, groups, reservations, reasons, *named = replies
    known = None if not lists or named[-1].code else _nodes(_text(named[-1]), homes_mark)
    return replace(
        facts,
        partitions=None if partitions.code else read_partitions(_text(partitions)),
        groups=None if grouped.code else read_nodes(_text(grouped), mark),
        # It fails where one of the groups has no name, and tells the others all the same.
        user_groups=frozenset(_text(groups).split()) or None,
        places={
            text: _text(reply).split()
            for text, reply in zip(lists, named, strict=False)
            if reply.code == 0 and "[" not in _text(reply) + text.replace("[", "", text.count("]"))
        },
        homes=None if known is None else {node: homes for node, (homes, _) in known.items()},
        reservations=() if reservations.code else read_reservations(_text(reservations)),
        states={} if known is None else {node: state for node, (_, state) in known.items()},
        reasons=read_reasons(_text(reasons), reasons_mark),
    )


async def ask_accounting(
    transport: Transport, user: str, ourselves: str, cluster: str
) -> tuple[Accounts | None, str]:
    """What the accounting tells; or None, and its own words."""
    commands = [Command(argv) for argv in account_commands(user, ourselves, cluster)]
    replies = await ask(transport, commands, ACCOUNTING_S, stop=True)
    for reply in replies:
        if reply.code:
            first = reply.err.decode("utf-8", "replace").strip().splitlines()
            return None, first[0] if first else reply.last_words
    return await asyncio.to_thread(read_accounts, [_text(reply) for reply in replies], user, cluster), ""


async def ask_trials(transport: Transport, sets: Sequence[Asked], today: str) -> list[Trials]:
    """The scheduler's word on the job of each set, and on the largest ones. Nothing is submitted."""
    commands = [Command(TRY, one.script) for one in sets]
    # Options on the command line go before those of the script, of which its head is enough.
    commands += [Command((*TRY, *options), one.head) for one in sets for options in one.largest.values()]
    replies = await ask(transport, commands, TRY_S)
    said = iter(
        Trial(Word.NONE, reply.last_words) if reply.code == NOT_RUN else read_trial(reply, today)
        for reply in replies
    )
    own = [next(said) for _ in sets]
    return [
        Trials(trial, {what: next(said) for what in one.largest})
        for trial, one in zip(own, sets, strict=True)
    ]


async def ask_jobs(transport: Transport) -> Sequence[JobAhead] | None:
    """The jobs in the queue; None where that is not told."""
    (reply,) = await ask(transport, [Command(SHOW_JOBS)], ASK_S)
    return None if reply.code else await asyncio.to_thread(read_jobs, _text(reply))


def _nodes(text: str, mark: str) -> dict[str, tuple[frozenset[str], str]]:
    """The partitions and the state of nodes, by the node."""
    found: dict[str, tuple[frozenset[str], str]] = {}
    for piece in text.split(f"@{mark}|")[1:]:
        state, _, rest = piece.partition(f"@{mark}.")[0].partition("|")
        partition, _, node = rest.rpartition("|")
        homes = found.get(node, (frozenset[str](), ""))[0]
        found[node] = (homes | {partition}, state.strip().lower())
    return found


def _text(reply: Reply) -> str:
    return reply.out.decode("utf-8", "replace")
