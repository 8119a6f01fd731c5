"""Whether nodes have the CPUs, the memory, the devices and the features that a job needs. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from runners.checking.slurm.facts import Facts
from runners.checking.slurm.features import read_constraint
from runners.checking.slurm.gres import GresAsk, has, read_gpus_ask, read_gres_ask
from runners.checking.slurm.node_reasons import nodes_and_reasons
from runners.checking.slurm.partitions import SHOW_NODES, SHOW_PARTITIONS, NodeGroup
from runners.checking.slurm.trial import TRY, Word
from runners.checking.slurm.words import Put, asks_itself, evidence, names, near_first
from runners.config.errors import shown
from runners.findings import Finding
from runners.slurm.cluster_settings import SHOW_CONFIG

GPU_SET_FIELD = "jobs_runner_config.gpu_slurm_config"
"""The path of the whole GPU set."""

_EVERYWHERE = ("MaxMemPerNode", "MaxMemPerCPU")
"""Settings of what a job may have where its partition does not say."""


def cpus(put: Put, facts: Facts) -> Finding:
    """`cpus`: some node has those of a task."""
    groups = facts.groups_in(put.asked.partitions)
    need, option = put.asked.cpus, "cpus-per-task"
    if not groups or need is None:
        return _unknown(put, facts, "cpus", groups)
    has_cpus = cpus_of(facts)
    best = max(groups, key=has_cpus)
    proof = _proof(put, facts, best)
    where = names(put.asked.partitions)
    if need > has_cpus(best):
        return put.failure(
            "cpus",
            f"A task asks for {_count(need, 'CPU')}, and no node of {where} gives a job more than "
            f"{has_cpus(best)}.",
            _smaller(
                put,
                option,
                f"{has_cpus(best)} or less",
                f"{has_cpus(best)} or less",
                _elsewhere(facts, lambda one: has_cpus(one) >= need),
            ),
            proof,
            option=option,
            tried=True,
        )
    if warned := _not_now(put, facts, "cpus", lambda one: has_cpus(one) >= need, "so many CPUs", proof):
        return warned
    detail = f"A task asks for {_count(need, 'CPU')}; nodes of {where} have up to {has_cpus(best)}."
    return put.ok("cpus", detail, proof)


def memory(put: Put, facts: Facts) -> Finding:
    """`memory`: some node has that of a task. Whether one has that of a whole job is `batching`'s."""
    groups = facts.groups_in(put.asked.partitions)
    need = put.asked.task_mb
    if not groups or need is None:
        return _unknown(put, facts, "memory", groups)
    has_mb = memory_of(facts)
    best = max(groups, key=has_mb)
    proof = _proof(put, facts, best)
    if everywhere := [key for key in _EVERYWHERE if facts.settings.number(key)]:
        proof = f"{proof}\n{evidence(SHOW_CONFIG, facts.settings.line(*everywhere))}"
    where = names(put.asked.partitions)
    option = "mem-per-cpu" if "mem-per-cpu" in put.asked.own else "mem"
    most = int(has_mb(best))
    if need > most and max(one.mb for one in groups) <= 1:
        # What SLURM assumes of nodes of which slurm.conf says nothing.
        return put.failure(
            "memory",
            f"A task asks for {mb(need)}, and SLURM does not know of any memory of nodes of {where}.",
            "Have the site's administrators set RealMemory of the nodes in slurm.conf to what each of them "
            "tells: slurmd -C",
            proof,
            tried=True,
        )
    if need > most:
        return put.failure(
            "memory",
            f"A task asks for {mb(need)}, and no node of {where} gives a job more than {mb(most)}.",
            _smaller(
                put,
                option,
                f"{most}M or less",
                f"{mb(most)} or less",
                _elsewhere(facts, lambda one: has_mb(one) >= need),
            ),
            proof,
            option=option,
            # What a partition allows is not tried.
            tried=need > max(one.mb for one in groups),
        )
    if warned := _not_now(put, facts, "memory", lambda one: has_mb(one) >= need, "so much memory", proof):
        return warned
    detail = f"A task asks for {mb(need)}; nodes of {where} have up to {mb(most)}."
    return put.ok("memory", detail, proof)


def _smaller(put: Put, option: str, value: str, amount: str, elsewhere: Collection[str]) -> str:
    """A remedy for what is more than any node has; *value* is as the field has it.

    *elsewhere* are the partitions that have nodes with so much.
    """
    if not put.asked.field(option):
        return asks_itself("cpus_per_task" if option == "cpus-per-task" else "mem", amount)
    other = f", or set partition to one with larger nodes: {names(elsewhere)}" if elsewhere else ""
    if option == "mem-per-cpu":
        # The value is of a whole task.
        return f"Ask for less with {put.asked.named(option)}{other}."
    return f"{put.to(option, value)}{other}."


def _elsewhere(facts: Facts, will_do: Callable[[NodeGroup], bool]) -> list[str]:
    """The partitions that have nodes that will do."""
    return sorted({one.partition for one in facts.groups or () if will_do(one)})


def gres(put: Put, facts: Facts) -> Finding:
    """`gres`: nodes have the devices, of that type and in that number."""
    options = put.asked.options
    given = [(name, options[name]) for name in ("gres", "gpus", "gpus-per-node") if options.get(name)]
    if put.asked.lacks_gpu:
        return _no_gpu(put, facts)
    if not given:
        return put.ok("gres", "Jobs ask for no GPUs and no other devices.")
    groups = facts.groups_in(put.asked.partitions)
    if not groups or any(one.gres is None for one in groups):
        return _unknown(put, facts, "gres", groups)
    devices = [one.gres or {} for one in groups]
    proof = evidence(SHOW_NODES, *(one.row for one in groups))
    for option, text in given:
        asks = read_gres_ask(text) if option == "gres" else read_gpus_ask(text)
        if asks is None:
            return _unreadable(put, option, text, proof)
        for ask in asks:
            if finding := _lacking(put, option, ask, devices, groups, facts, proof):
                return finding
    asked = ", ".join(shown(text) for _, text in given)
    return put.ok("gres", f"Nodes of {names(put.asked.partitions)} have {asked}.", proof)


def _no_gpu(put: Put, facts: Facts) -> Finding:
    """The sample needs a GPU, and its jobs would get none."""
    if put.asked.gpu:
        detail = "A step that needs a GPU gets none: neither gpu_slurm_config nor the default asks for one."
    else:
        detail = (
            "A step that needs a GPU gets none: "
            "there is no gpu_slurm_config, and default_slurm_config asks for none."
        )
    having = [one for one in facts.groups or () if "gpu" in (one.gres or {})]
    fix = "Give gpu_slurm_config what brings a GPU, such as the gres gpu:1, or use a resource with GPUs."
    if having:
        first = having[0]
        kind = next(iter((first.gres or {})["gpu"]))
        told = _told(GresAsk("gpu", kind, 1))
        fix = (
            f"Give gpu_slurm_config the partition {shown(first.partition)} and the gres {told}, for example."
        )
    proof = evidence(SHOW_NODES, *(one.row for one in having))
    warned = put.warning("gres", detail, fix, proof)
    return replace(warned, of="resource", field=GPU_SET_FIELD)


def _unreadable(put: Put, option: str, text: str, proof: str) -> Finding:
    """What to say of devices that can't be read: what SLURM says of them."""
    form = "[type:]count, such as v100:1"
    if option == "gres":
        form = "name[:type]:count, such as gpu:v100:1"
    detail, said = f"{shown(text)} is not of the form {form}", put.trial.said.lower()
    if put.trial.word is Word.REFUSED and any(word in said for word in ("generic resource", "gres", "tres")):
        proof = f"{proof}\n{evidence(TRY, put.trial.said)}"
        fix = f"{put.to(option, 'that form')}."
        return put.failure("gres", f"{detail}, and SLURM can't read it.", fix, proof, option=option)
    return put.untold(
        "gres", f"{detail}, and can't be read here.", proof, f"{put.to(option, 'it')}.", tried=True
    )


def _lacking(
    put: Put,
    option: str,
    ask: GresAsk,
    devices: Sequence[Mapping[str, Mapping[str, int]]],
    groups: Sequence[NodeGroup],
    facts: Facts,
    proof: str,
) -> Finding | None:
    where = names(put.asked.partitions)
    kinds = {name for one in devices for name in one}
    if ask.name not in kinds:
        elsewhere = {one.partition for one in facts.groups or () if has(one.gres or {}, ask)}
        if not kinds:
            detail = f"Nodes of {where} have no GPUs and no other devices, and jobs ask for {_told(ask)}."
        else:
            detail = f"Nodes of {where} have no {shown(ask.name)}, but {names(sorted(kinds))}."
        if elsewhere:
            fix = f"{put.to('partition', 'one with such nodes')}: {names(sorted(elsewhere))}."
            if option in put.asked.own:
                fix = f"{put.without(option)}, or s{fix[1:]}"
        elif kinds:
            nearest = near_first(ask.name, kinds)[0]
            if option == "gres":
                fix = f"{put.to(option, _told(ask._replace(name=nearest)))}."
            else:
                fix = f"{put.without(option)}, and set gres to {nearest}:{ask.number}."
        else:
            every = sorted({name for one in facts.groups or () for name in one.gres or {}})
            fix = f"{put.without(option)}." + (f" Other partitions have {names(every)}." if every else "")
        return put.failure("gres", detail, fix, proof, option=option, tried=True)
    types = {kind for one in devices for kind in one.get(ask.name, {})} - {""}
    if ask.type and types and ask.type not in types:
        near = near_first(ask.type, types)
        written = f"{ask.name}:{near[0]}:{ask.number}" if option == "gres" else f"{near[0]}:{ask.number}"
        return put.failure(
            "gres",
            f"Nodes of {where} have no {shown(ask.name)} of the type {shown(ask.type)}, but {names(near)}.",
            f"{put.to(option, shown(written))}.",
            proof,
            option=option,
            tried=True,
        )
    wanted = ask if types else ask._replace(type="")
    if option == "gpus":
        most = sum(has(one, wanted) * group.count for one, group in zip(devices, groups, strict=True))
        whose = f"All nodes of {where} together have"
    else:
        most = max(has(one, wanted) for one in devices)
        whose = f"No node of {where} has more than"
    if ask.number > most:
        return put.failure(
            "gres",
            f"{whose} {most} {shown(ask.name)}{f' {shown(ask.type)}' if ask.type else ''}, "
            f"and each job asks for {ask.number}.",
            f"{put.to(option, f'ask for {most} or fewer')}.",
            proof,
            option=option,
            tried=True,
        )
    needed = 1 if option == "gpus" else ask.number

    def will_do(group: NodeGroup) -> bool:
        return has(group.gres or {}, wanted) >= needed

    return _not_now(put, facts, "gres", will_do, _told(ask), proof)


def features(put: Put, facts: Facts) -> Finding:
    """`features`: nodes are as the constraint wants them."""
    text = put.asked.options.get("constraint")
    if not text:
        return put.ok("features", "Jobs ask for no features of nodes.")
    groups = facts.groups_in(put.asked.partitions)
    if not groups:
        return _unknown(put, facts, "features", groups)
    wanted = read_constraint(text)
    proof = evidence(SHOW_NODES, *(one.row for one in groups))
    if wanted is None:
        return put.untold("features", f"The constraint {shown(text)} can't be read here.", proof, tried=True)
    here = frozenset[str]().union(*(one.features for one in groups))
    every = frozenset[str]().union(*(one.features for one in facts.groups or ()))
    where = names(put.asked.partitions)
    have = f"nodes of {where} have {names(sorted(here)) if here else 'none at all'}"
    unknown = sorted(wanted.names - every)
    if unknown:
        near = near_first(unknown[0], here or every)
        fix = f"{put.to('constraint', f'features such as {names(near)}' if near else 'features')}."
        fix = fix if near else f"{put.without('constraint')}."
        detail = f"No node has the feature {shown(unknown[0])}, which jobs ask for; {have}."
        return put.failure("features", detail, fix, proof, option="constraint", tried=True)
    sets = [one.features for one in groups] if wanted.simple else [here]
    if not any(map(wanted.holds, sets)):
        fix = f"{put.to('constraint', 'features of these nodes')}, or name another partition."
        detail = f"No node of {where} is as the constraint {shown(text)} wants it; {have}."
        return put.failure("features", detail, fix, proof, option="constraint", tried=True)
    if wanted.simple and (
        warned := _not_now(
            put, facts, "features", lambda one: wanted.holds(one.features), "these features", proof
        )
    ):
        return warned
    return put.ok("features", f"Nodes of {where} are as {shown(text)} wants them.", proof)


def cpus_of(facts: Facts) -> Callable[[NodeGroup], int]:
    """How many CPUs of such a node a job may have."""

    def most(group: NodeGroup) -> int:
        own = [one.most_cpus for one in facts.partitions_of([group.partition])]
        return min([group.cpus, *(limit for limit in own if limit)])

    return most


def memory_of(facts: Facts) -> Callable[[NodeGroup], float]:
    """How much memory of such a node a job may have, in MB."""
    everywhere = [facts.settings.number(key) for key in _EVERYWHERE]

    def most(group: NodeGroup) -> float:
        parts = facts.partitions_of([group.partition])
        own = [[one.most_mb, one.most_mb_per_cpu] for one in parts if one.most_mb or one.most_mb_per_cpu]
        # What a partition allows goes before what is allowed everywhere, be it more or less.
        of_node, of_cpu = own[0] if own else everywhere
        return min(group.mb, of_node or math.inf, of_cpu * group.cpus if of_cpu else math.inf)

    return most


def mb(amount: float) -> str:
    """Memory as both SLURM and the form have it."""
    return f"{amount:,.0f} MB"


def _not_now(
    put: Put,
    facts: Facts,
    check: str,
    will_do: Callable[[NodeGroup], bool],
    what: str,
    proof: str,
) -> Finding | None:
    """A warning where only nodes that take no jobs at the moment would do, and others take some."""
    groups = facts.groups_in(put.asked.partitions) or []
    if any(one.working and will_do(one) for one in groups) or not any(one.working for one in groups):
        return None
    hosts = nodes_and_reasons(((one.hostlist, one.state) for one in groups if will_do(one)), facts.reasons)
    return put.warning(
        check,
        f"Only nodes that take no jobs at the moment have {what}: {hosts}.",
        "Jobs wait until they are back; the site's administrators know why: sinfo --list-reasons",
        proof,
    )


def _unknown(put: Put, facts: Facts, check: str, groups: Sequence[NodeGroup] | None) -> Finding:
    proof = evidence(SHOW_NODES)
    where = names(put.asked.partitions)
    if groups is not None and not groups:
        rows = (one.shown("Nodes", "TotalNodes") for one in facts.partitions_of(put.asked.partitions))
        return put.untold(
            check, f"No nodes of {where} are shown to us.", evidence(SHOW_PARTITIONS, *rows), tried=True
        )
    return put.untold(check, f"What the nodes of {where} have can't be read.", proof, tried=True)


def _proof(put: Put, facts: Facts, best: NodeGroup) -> str:
    rows = [
        one.shown("MaxCPUsPerNode", "MaxMemPerNode", "MaxMemPerCPU")
        for one in facts.partitions_of([best.partition])
    ]
    return "\n".join([evidence(SHOW_NODES, best.row), evidence(SHOW_PARTITIONS, *rows)])


def _told(ask: GresAsk) -> str:
    return shown(":".join(filter(None, (ask.name, ask.type, str(ask.number)))))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
