"""What a configuration makes of a sample of work, in words, and the script that it would submit."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from runners.config.units import format_mb
from runners.plan import Plan
from tui.preview import Preview
from tui.text import plain

_QUIET = "$foreground 60%"

_Part = Content | str | tuple[str, str]


class PlanOfSample(Static):
    """The plan for a sample."""

    def show(self, found: Preview) -> None:
        """Show this one, or why there is none."""
        if found.plan is None:
            self.update(_refusal("No plan.", found.refused))
        else:
            self.update(Content.assemble(*_plan(found.plan)).rstrip())


class ScriptOfSample(Static):
    """The script of a sample's first job, line by line: a line that is broken would be another script."""

    DEFAULT_CSS = """
    ScriptOfSample.-script { width: auto; min-width: 1fr; text-wrap: nowrap; }
    """

    def show(self, found: Preview) -> None:
        """Show this one, or why there is none."""
        self.set_class(bool(found.script), "-script")
        if not found.script:
            self.update(_refusal("No script.", found.no_script))
            return
        parts: list[_Part] = [
            ("What the first job of the sample asks SLURM, before the worker and its tasks:\n\n", _QUIET)
        ]
        parts += [_script_line(plain(line)) for line in found.script]
        self.update(Content.assemble(*parts).rstrip())


def _refusal(title: str, why: str) -> Content:
    return Content.assemble((f"{title}\n", "bold"), (plain(why), "$text-error"))


def _script_line(line: str) -> Content:
    if line.startswith("#SBATCH"):
        option, equals, value = line.removeprefix("#SBATCH").partition("=")
        return Content.assemble(("#SBATCH", _QUIET), option, equals, (value, "$text-primary"), "\n")
    return Content.assemble((line, _QUIET) if line.startswith("#") else line, "\n")


def _plan(plan: Plan) -> list[_Part]:
    batches = len(plan.batches)
    each = " for each batch" if batches > 1 else ""
    size = f" of up to {plan.tasks_per_batch:,} tasks" if batches > 1 else ""
    parts: list[_Part] = [
        *_fact("tasks", f"{plan.tasks:,}"),
        *_fact("batches", f"{batches:,}{size}"),
        *_fact("slots", f"{plan.slots_per_batch:,}" + (" in each batch" if batches > 1 else " at a time")),
        *_fact("CPUs", f"{plan.cpus_per_batch:,}{each}"),
    ]
    if plan.mem_mb_per_batch is not None:
        parts += _fact("memory", f"{format_mb(plan.mem_mb_per_batch)}{each}")
    parts += [("\n", ""), ("because  ", _QUIET), plain(plan.reason), "\n"]
    for warning in plan.warnings:
        parts += [("! ", "bold $text-warning"), plain(warning), "\n"]
    return parts


def _fact(name: str, value: str) -> list[_Part]:
    return [(f"{name:<9}", _QUIET), (value, "bold"), "\n"]
