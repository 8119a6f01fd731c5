"""Whether jobs that are as large as the configuration lets them become fit on nodes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runners.checking.slurm.facts import Facts
from runners.checking.slurm.fits import cpus_of, mb, memory_of
from runners.checking.slurm.hostlists import first_host
from runners.checking.slurm.partitions import SHOW_NODES, NodeGroup
from runners.checking.slurm.trial import TRY, Word
from runners.checking.slurm.words import Put, batching_field, evidence, names, pasted
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.slurm.cluster_settings import SHOW_CONFIG

_CHECK = "batching"


def batching(put: Put, facts: Facts) -> Finding | None:
    """`batching`: jobs up to the maxima can run; a failure where not even those of the sample can.

    None: what nodes have is not known.
    """
    refused = put.trial.word is Word.REFUSED
    groups = facts.groups_in(put.asked.partitions)
    if not groups:
        return _by_trials(put)
    config, given = put.asked.config.batching_config, facts.partitions_of(put.asked.partitions)
    has_mb, has_cpus = memory_of(facts), cpus_of(facts)
    best_mb, best_cpus = max(groups, key=has_mb), max(groups, key=has_cpus)
    most_mb, most_cpus = int(has_mb(best_mb)), has_cpus(best_cpus)
    where = names(put.asked.partitions)
    per_node = put.asked.grows
    # Those in the cloud are not shown while they are off, and may be larger.
    hidden = sum(one.nodes or 0 for one in given) > sum(one.count for one in groups)
    if hidden and (finding := _refused(put)):
        return finding
    # SLURM tries what nodes have, those too that are not shown to us, but not what partitions allow.
    tries_mb = max(one.mb for one in groups) == most_mb
    if per_node and config.max_mem_per_job > most_mb and not (tries_mb and _taken(put, "memory")):
        target = config.target_mem_per_job > most_mb
        field = "target_mem_per_job" if target else "max_mem_per_job"
        need = put.asked.node_mb
        fails = need is not None and need > most_mb and (refused or not tries_mb)
        return _large(
            put,
            field,
            f"Jobs may grow to {mb(config.max_mem_per_job)}, and no node of {where} gives a job more than "
            f"{mb(most_mb)}: SLURM refuses larger ones.",
            f"Set {'target_mem_per_job and ' if target else ''}max_mem_per_job to {most_mb}M or less.",
            evidence(SHOW_NODES, best_mb.row),
            fails=fails,
        )
    nodes = max(1, put.asked.nodes or 1)
    if config.max_cpus_per_job > most_cpus * nodes and not _taken(put, "cpus"):
        target = config.target_cpus_per_job > most_cpus * nodes
        field = "target_cpus_per_job" if target else "max_cpus_per_job"
        # A job whose nodes are not counted may spread over all of them.
        wide = most_cpus * nodes if put.asked.nodes else sum(has_cpus(one) * one.count for one in groups)
        so = (
            f"no node of {where} gives a job more than {most_cpus}: larger ones need several nodes, "
            "and ask each for the memory of all tasks"
        )
        if put.asked.nodes:
            so = f"{nodes} {'node gives' if nodes == 1 else 'nodes give'} them {most_cpus * nodes} at most"
        return _large(
            put,
            field,
            f"Jobs may grow to {config.max_cpus_per_job} CPUs, and {so}.",
            f"Set {'target_cpus_per_job and ' if target else ''}max_cpus_per_job "
            f"to {most_cpus * nodes} or less.",
            evidence(SHOW_NODES, best_cpus.row),
            fails=refused and put.asked.slots * (put.asked.cpus or 1) > wide,
        )
    if not hidden and (finding := _together(put, facts, groups)):
        return finding
    slots = put.asked.most_slots
    for key, what in (("MaxTasksPerNode", "tasks on a node"), ("MaxStepCount", "steps in a job")):
        limit = facts.settings.number(key)
        if limit and slots > limit * (nodes if key == "MaxTasksPerNode" else 1):
            return _large(
                put,
                "max_cpus_per_job",
                f"Jobs may grow to {slots} tasks at a time, and SLURM allows {limit} {what} here ({key}).",
                f"Set max_cpus_per_job to {limit * (put.asked.cpus or 1)} or less.",
                evidence(SHOW_CONFIG, facts.settings.line(key)),
                fails=False,
            )
    size = facts.settings.script_bytes
    if size is not None and len(put.asked.script) > size and put.trial.word is not Word.TAKEN:
        return _large(
            put,
            "max_num_jobs",
            f"The script of a job has {len(put.asked.script):,} bytes, and this cluster takes {size:,}.",
            "Set max_num_jobs higher, so that fewer tasks share a job.",
            evidence(SHOW_CONFIG, facts.settings.line("SchedulerParameters")),
            fails=True,
        )
    plain = all(one.free for one in groups) and not any(one.least_nodes > 1 for one in given)
    if plain and (finding := _refused(put, first_host(groups[0].hostlist))):
        return finding
    cpus, amount = config.max_cpus_per_job, config.max_mem_per_job
    if not per_node:
        detail = f"Jobs of up to {cpus} CPUs fit on a node of {where}."
    elif any(has_cpus(one) * nodes >= cpus and has_mb(one) >= amount for one in groups):
        detail = f"Jobs of up to {cpus} CPUs and {mb(amount)} fit on a node of {where}."
    else:
        detail = (
            f"Jobs of up to {cpus} CPUs fit on some nodes of {where}, those of up to {mb(amount)} on others."
        )
    return put.ok(_CHECK, detail, evidence(SHOW_NODES, best_mb.row))


def _together(put: Put, facts: Facts, groups: Sequence[NodeGroup]) -> Finding | None:
    """What to say where some nodes have the CPUs of the largest jobs of such tasks, and others the memory."""
    asked, config = put.asked, put.asked.config.batching_config
    cpus, task_mb, slots = asked.cpus, asked.task_mb, asked.most_slots
    if not (asked.grows and cpus and task_mb) or (asked.slots == slots and put.trial.word is Word.TAKEN):
        return None
    has_mb, has_cpus, nodes = memory_of(facts), cpus_of(facts), max(1, asked.nodes or 1)
    best = max(groups, key=lambda one: min(has_cpus(one) * nodes // cpus, has_mb(one) // task_mb))
    most = int(min(has_cpus(best) * nodes // cpus, has_mb(best) // task_mb))
    if not 0 < most < slots:
        # A single task that fits nowhere is told by the trial.
        return None
    target = config.target_cpus_per_job > most * cpus
    return _large(
        put,
        "target_cpus_per_job" if target else "max_cpus_per_job",
        f"Jobs may grow to {slots} tasks at a time, with {slots * cpus} CPUs and {mb(slots * task_mb)}, and "
        f"no node of {names(asked.partitions)} has both: one has room for {most} such tasks at most.",
        f"Set {'target_cpus_per_job and ' if target else ''}max_cpus_per_job to {most * cpus} or less.",
        evidence(SHOW_NODES, best.row),
        fails=put.trial.word is Word.REFUSED and asked.slots > most,
    )


def _by_trials(put: Put) -> Finding | None:
    """What the scheduler says of the largest jobs, where no nodes are shown to us; None for nothing."""
    if put.trial.word is not Word.TAKEN:
        return None
    if finding := _refused(put):
        return finding
    if not all(_taken(put, what) for what in put.asked.largest):
        return None
    config = put.asked.config.batching_config
    size_mb = f", and with {mb(config.max_mem_per_job)}" if put.asked.grows else ""
    detail = f"SLURM takes jobs with {config.max_cpus_per_job} CPUs{size_mb}. No nodes are shown to us."
    return put.ok(_CHECK, detail, _said(put))


def _taken(put: Put, what: str) -> bool:
    return what in put.largest and put.largest[what].word is Word.TAKEN


def _refused(put: Put, host: str = "") -> Finding | None:
    """What to say where the sample's job is taken, and one of the largest is not."""
    config = put.asked.config.batching_config
    sizes = {
        "memory": ("mem", mb(config.max_mem_per_job)),
        "cpus": ("cpus", f"{config.max_cpus_per_job} CPUs"),
    }
    look = "."
    if host:
        look = (
            f"; it may keep some for itself (CoreSpecCount, MemSpecLimit): scontrol show node {pasted(host)}"
        )
    for what, (name, size) in sizes.items():
        if what in put.largest and put.largest[what].too_large and put.trial.word is Word.TAKEN:
            return _large(
                put,
                f"max_{name}_per_job",
                f"Jobs may grow to {size}, and SLURM refuses such jobs in {names(put.asked.partitions)}: "
                f"“{shown(put.largest[what].said)}”.",
                f"Set max_{name}_per_job to what a node gives jobs, or less{look}",
                _said(put),
                fails=False,
            )
    return None


def _said(put: Put) -> str:
    asks = put.asked.largest
    return "\n".join(
        evidence((*TRY, *asks[what], "<script of the sample>"), trial.said)
        for what, trial in put.largest.items()
    )


def _large(put: Put, field: str, detail: str, fix: str, proof: str, *, fails: bool) -> Finding:
    state = FindingState.FAILURE if fails else FindingState.WARNING
    path = batching_field(field)
    return Finding(put.asked.check(_CHECK), state, detail, fix, proof, of="resource", field=path)
