"""Whether there are the nodes that jobs name, as many as they want, and in a state to work. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runners.checking.slurm.access import qos_in_order
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.hostlists import brief, first_host, hosts_of
from runners.checking.slurm.node_reasons import counts_and_reasons, nodes_and_reasons
from runners.checking.slurm.partitions import SHOW_NODES, SHOW_PARTITIONS, NodeGroup, is_working
from runners.checking.slurm.reservations import own_reservation
from runners.checking.slurm.words import Put, evidence, names, near_first, pasted
from runners.config.errors import shown
from runners.findings import Finding


def nodes(put: Put, facts: Facts) -> Finding:
    """`nodes`: they are there, are enough, and some of them work."""
    given = facts.partitions_of(put.asked.partitions)
    where = names(put.asked.partitions)
    if finding := _named(put, facts, where) or own_reservation(put, facts):
        return finding
    rows = [one.shown("MaxNodes", "Nodes", "TotalNodes") for one in given]
    proof = evidence(SHOW_PARTITIONS, *rows)
    counts = [one.nodes for one in given if one.nodes is not None]
    if given and len(counts) == len(given) and not any(counts):
        fix = "Name a partition that has nodes, or have the site's administrators give it some."
        return put.failure(
            "nodes", f"{where} has no nodes at all.", fix, proof, option="partition", tried=True
        )
    wanted, most = put.asked.nodes, max(counts, default=0)
    asked = put.asked.options.get("nodes")
    if asked is not None and (wanted is None or wanted < 1):
        detail = f"{shown(asked)} is no number of nodes for a job."
        fix = f"{put.to('nodes', '1 or more')}, or leave it out."
        return put.failure("nodes", detail, fix, option="nodes", tried=wanted is None)
    if wanted is not None and counts and wanted > most:
        return put.failure(
            "nodes",
            f"Each job asks for {_count(wanted)}, and {where} has {most}.",
            f"{put.to('nodes', str(most))} or less.",
            proof,
            option="nodes",
            tried=True,
        )
    # A QOS may let jobs have more than a partition gives others, or fewer.
    freed = frozenset[str]().union(*(one.flags for one in qos_in_order(put, facts)))
    limits = [one.most_nodes for one in given]
    if wanted is not None and limits and None not in limits and "partitionmaxnodes" not in freed:
        limit = max(limit for limit in limits if limit is not None)
        if wanted > limit:
            return put.failure(
                "nodes",
                f"Each job asks for {_count(wanted)}, and {where} gives a job {limit} at most.",
                f"{put.to('nodes', str(limit))} or less.",
                proof,
                option="nodes",
            )
    least = min((one.least_nodes for one in given), default=0)
    if wanted is not None and wanted < least and "partitionminnodes" not in freed:
        return put.failure(
            "nodes",
            f"Each job asks for {_count(wanted)}, and {where} has a job take {least} or more.",
            f"{put.to('nodes', str(least))} or more, or leave it out.",
            evidence(SHOW_PARTITIONS, *(one.shown("MinNodes") for one in given)),
            option="nodes",
            tried=True,
        )
    groups = facts.groups_in(put.asked.partitions)
    if groups is None:
        return put.untold("nodes", f"The states of the nodes of {where} are not shown to us.", tried=True)
    seen = evidence(SHOW_NODES, *(one.row for one in groups))
    if groups and not any(one.working for one in groups):
        states = _resting(groups, facts)
        fix = (
            "Jobs wait until nodes are back; the site's administrators know why, and can let one work again: "
            f"scontrol update nodename={pasted(first_host(groups[0].hostlist))} state=resume"
        )
        if all(one.state.startswith("maint") for one in groups):
            fix = "Jobs wait until the maintenance is over; when that is: scontrol show reservation"
        return put.warning("nodes", f"No node of {where} takes jobs at the moment: {states}.", fix, seen)
    rest = f"; the rest: {states}" if (states := _resting(groups, facts)) else ""
    detail = f"{_working(groups)} of {where} can take jobs{rest}."
    return put.ok("nodes", detail, f"{proof}\n{seen}")


def _working(groups: Sequence[NodeGroup]) -> str:
    """How many nodes of how many; each counts once, though several partitions may have it."""
    every = {host for one in groups for host in hosts_of(one.hostlist)}
    working = {host for one in groups if one.working for host in hosts_of(one.hostlist)}
    return f"{len(working)} of {_count(len(every))}"


def _resting(groups: Sequence[NodeGroup], facts: Facts) -> str:
    """How many nodes take no jobs, and why."""
    working = {host for one in groups if one.working for host in hosts_of(one.hostlist)}
    rest = [one for one in groups if not one.working and not working.issuperset(hosts_of(one.hostlist))]
    return counts_and_reasons(((one.hostlist, one.state) for one in rest), facts.reasons)


def _none_left(put: Put, facts: Facts, named: Sequence[str], where: str, proof: str) -> Finding | None:
    """What is wrong where all nodes are left out."""
    for one in facts.partitions_of(put.asked.partitions):
        left_out = {node for node in named if one.name in (facts.homes or {}).get(node, ())}
        if one.nodes is None or one.nodes > len(left_out):
            return None
    detail = f"exclude names all nodes of {where}, and so leaves jobs none."
    fix = f"Leave some of them out of {put.asked.named('exclude')}, or name another partition."
    return put.failure("nodes", detail, fix, proof, option="exclude", tried=True)


def _named(put: Put, facts: Facts, where: str) -> Finding | None:
    """What is wrong with the nodes that are named, if something is."""
    for option in ("nodelist", "exclude"):
        text = put.asked.options.get(option)
        if not text:
            continue
        if text not in facts.places or facts.homes is None:
            return put.untold(
                "nodes", f"The nodes that {option} names ({shown(text)}) can't be looked up.", tried=True
            )
        named = facts.places[text]
        proof = evidence(
            ("sinfo", "--all", "--local", "--noheader", "--Node", f"--nodes={text}", "--format=%R|%N"),
            *(f"{home}|{node}" for node in named for home in sorted(facts.homes.get(node, ()))),
        )
        missing = [node for node in named if not facts.homes.get(node)]
        if missing:
            every = [one.hostlist for one in facts.groups_in(put.asked.partitions) or ()]
            near = near_first(missing[0], dict.fromkeys(every))
            return put.failure(
                "nodes",
                f"There is no node {names(missing)} on this cluster, which {option} names.",
                f"{put.to(option, f'nodes of {where}')}: {names(map(brief, near))}.",
                proof,
                option=option,
                tried=True,
            )
        if option == "exclude":
            if finding := _none_left(put, facts, named, where, proof):
                return finding
            continue
        elsewhere = [node for node in named if not facts.homes[node] & set(put.asked.partitions)]
        if elsewhere:
            homes = sorted(facts.homes[elsewhere[0]])
            return put.failure(
                "nodes",
                f"{names(elsewhere)}, which nodelist names, {'is' if len(elsewhere) == 1 else 'are'} not in "
                f"{where}, but in {names(homes)}.",
                f"{put.to('nodelist', f'nodes of {where}')}, or partition to {names(homes)}.",
                proof,
                option="nodelist",
                tried=True,
            )
        states = {node: facts.states[node] for node in named if node in facts.states}
        resting = {node: state for node, state in states.items() if not is_working(state)}
        if resting:
            told = nodes_and_reasons(resting.items(), facts.reasons)
            return put.warning(
                "nodes",
                f"Nodes that every job is to have take no jobs at the moment: {told}.",
                "Jobs wait until they are back; the site's administrators know why: sinfo --list-reasons",
                proof,
                option="nodelist",
            )
    return None


def _count(number: int) -> str:
    return "1 node" if number == 1 else f"{number} nodes"
