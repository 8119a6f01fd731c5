"""What to say of a set of the configuration that not even a script can be made of. Pure."""

from __future__ import annotations

from collections.abc import Callable

from runners.checking.slurm.asked import GPU_SET, by_sample, merged_set
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.fits import cpus_of, memory_of
from runners.checking.slurm.partitions import SHOW_NODES, SHOW_PARTITIONS, NodeGroup
from runners.checking.slurm.words import asks_itself, batching_field, evidence, names
from runners.config.errors import ConfigError, shown
from runners.config.slurm import SlurmRunnerConfig
from runners.findings import Finding, FindingState
from runners.sample import Sample

_CHECK_OF = {
    "cpus_per_task": "cpus",
    "mem": "memory",
    "partition": "partition",
    "time": "time limit",
    "gres": "gres",
    "gpus": "gres",
    "constraint": "features",
    "nodelist": "nodes",
    "exclude": "nodes",
    "nodes": "nodes",
    "account": "account",
}
"""Which check it is that a field fails where not even a script can be made of it."""

_LARGEST = {"cpus_per_task": ("max_cpus_per_job", ""), "mem": ("max_mem_per_job", "M")}
"""What a field of a task must not be above, and the unit in which both can be typed."""


def unusable(
    config: SlurmRunnerConfig, sample: Sample, error: ConfigError, facts: Facts, *, gpu: bool
) -> Finding:
    """What to say of the default set, or the GPU set, of which no script could be made because of *error*."""
    name, message = error.fields[0] if error.fields else ("", "")
    if by_sample(name, sample, merged_set(config, gpu=gpu)):
        check = _CHECK_OF[name]
        return Finding(
            f"{check}, {GPU_SET}" if gpu else check,
            FindingState.FAILURE,
            f"No job of the sample can be made: {shown(name)} {shown(message)}.",
            asks_itself(name, "less"),
        )
    given = config.gpu_slurm_config if gpu else None
    in_gpu_set = given is not None and name in given.model_fields_set
    set_name = "gpu_slurm_config" if in_gpu_set else "default_slurm_config"
    check = _CHECK_OF.get(name, "batching")
    if name == "tasks_per_job":
        return Finding(
            f"{check}, {GPU_SET}" if gpu else check,
            FindingState.FAILURE,
            f"No job of the sample can be made: {shown(name)} {shown(message)}.",
            "Set max_num_jobs higher, so that fewer tasks share a job, or check with fewer tasks (--tasks).",
            of="resource",
            field=batching_field("max_num_jobs"),
        )
    known = name in type(config.default_slurm_config).model_fields
    detail = f"{shown(name)} {shown(message)}." if name else str(error)
    missing, proof = "is missing" in message, ""
    fix = f"{'Give' if missing else 'Correct'} {shown(name)} in {set_name}."
    if missing and name == "partition" and facts.partitions:
        fix = f"Set partition in {set_name} to one of: {names(sorted(facts.partitions))}."
        proof = evidence(SHOW_PARTITIONS, *(f"PartitionName={one} …" for one in facts.partitions))
    largest, _ = _LARGEST.get(name, ("", ""))
    if largest and f"above {largest}" in message:
        most, wanted = getattr(config.batching_config, largest), getattr(merged_set(config, gpu=gpu), name)
        fix, proof = _too_large(config, facts, set_name, name, (most, wanted), gpu=gpu)
    return Finding(
        f"{check}, {GPU_SET}" if gpu else check,
        FindingState.FAILURE,
        f"No job can be made: {detail}",
        fix if known else "Change how tasks share jobs.",
        proof,
        of="resource" if known else "",
        field=f"jobs_runner_config.{set_name}.{name}" if known else "",
    )


def _too_large(
    config: SlurmRunnerConfig, facts: Facts, set_name: str, name: str, sizes: tuple[int, int], *, gpu: bool
) -> tuple[str, str]:
    """A remedy where a task asks for more than a job may have, and its evidence: no more than nodes have.

    *sizes* are what a job may have, and what the task asks for.
    """
    (most, wanted), (largest, unit) = sizes, _LARGEST[name]
    has: Callable[[NodeGroup], float] = memory_of(facts) if name == "mem" else cpus_of(facts)
    groups = facts.groups_in((merged_set(config, gpu=gpu).partition or "").split(",")) or []
    best = max(groups, key=has, default=None)
    if best is None or has(best) >= wanted:
        more = f", or {largest} in batching_config to {wanted}{unit} or more"
        return f"Set {name} in {set_name} to {most}{unit} or less{more}.", ""
    # With more than any node has, jobs could be made and none would run.
    least = min(most, int(has(best)))
    return f"Set {name} in {set_name} to {least}{unit} or less.", evidence(SHOW_NODES, best.row)
