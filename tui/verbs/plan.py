"""`runyard plan`: what `run` would do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runners.config.home import Home
from runners.config.units import format_duration, format_mb
from tui import output
from tui.failure import ExitCode
from tui.verbs.launch_options import add_launch_options, prepared_launch
from tui.verbs.opening import add_json

if TYPE_CHECKING:
    from runners.launching import Prepared
    from runners.plan import Plan
    from runners.workflow import Step

_LONGEST_COMMAND = 2000


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.description = "Show what `runyard run` with the same arguments would do, and do nothing."
    add_launch_options(parser, "runyard plan --items '*.tif' --mem 4G -- segment {item}")
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """Show it."""
    from tui.sample_script import sample_scripts

    prepared = prepared_launch(args, home)
    scripts = sample_scripts(prepared, home)
    if args.json:
        output.data(_object(prepared, scripts))
        return ExitCode.OK
    spec = prepared.request.spec
    output.facts(
        [
            ("run", spec.name),
            ("resource", spec.resource + (f" as {spec.profile}" if spec.profile else "")),
            ("works in", spec.workdir or "the run's own folder, on the cluster"),
            ("project", spec.folder or ""),
            ("items", f"{len(prepared.request.items):,}"),
        ]
    )
    for number, ((step, plan), command) in enumerate(
        zip(prepared.plans, prepared.typed, strict=True), start=1
    ):
        output.line()
        output.line(f"step {number} of {len(prepared.plans)}: {step.name} ({step.type})")
        output.facts([(f"  {name}", value) for name, value in _facts(step, plan, command)])
        if scripts:
            output.line("  the first job asks SLURM, before the worker and its tasks:")
            for line in scripts[number - 1]:
                output.line(f"    {line}")
    if prepared.warnings:
        output.line()
    for warning in prepared.warnings:
        output.line(f"warning: {warning}")
    return ExitCode.OK


def _facts(step: Step, plan: Plan, command: str) -> list[tuple[str, str]]:
    return [
        ("tasks", f"{plan.tasks:,}"),
        ("batches", f"{len(plan.batches):,}"),
        ("tasks per batch", f"{plan.tasks_per_batch:,}"),
        ("slots per batch", f"{plan.slots_per_batch:,}"),
        ("CPUs per batch", f"{plan.cpus_per_batch:,}"),
        ("memory per batch", "" if plan.mem_mb_per_batch is None else format_mb(plan.mem_mb_per_batch)),
        ("limit per task", "" if step.meta.time is None else format_duration(step.meta.time)),
        ("why", plan.reason),
        ("first command", command[:_LONGEST_COMMAND]),
    ]


def _object(prepared: Prepared, scripts: Sequence[Sequence[str]]) -> dict[str, Any]:
    spec = prepared.request.spec
    return {
        "name": spec.name,
        "resource": spec.resource,
        "profile": spec.profile,
        "workdir": spec.workdir,
        "folder": spec.folder,
        "items": len(prepared.request.items),
        "steps": [
            {
                "name": step.name,
                "type": step.type.value,
                "tasks": plan.tasks,
                "batches": len(plan.batches),
                "tasks_per_batch": plan.tasks_per_batch,
                "slots_per_batch": plan.slots_per_batch,
                "cpus_per_batch": plan.cpus_per_batch,
                "mem_mb_per_batch": plan.mem_mb_per_batch,
                "time_s": step.meta.time,
                "branch": plan.branch.value,
                "reason": plan.reason,
                "command": list(command),
                "script": "\n".join(script),
            }
            for (step, plan), command, script in zip(
                prepared.plans, prepared.commands, scripts or [()] * len(prepared.plans), strict=True
            )
        ],
        "warnings": list(prepared.warnings),
    }
