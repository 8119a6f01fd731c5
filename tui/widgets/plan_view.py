"""What a launch will do, before anybody launches it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content
from textual.widgets import Static

from runners.config.units import format_mb
from runners.launching import Prepared
from runners.plan import Plan
from tui.forms.words import in_form
from tui.text import plain

_QUIET = "$foreground 60%"

HOW_TO = (
    "Type a command; {item} in it stands for one item.\n\n"
    "Items are files, by patterns such as *.csv or data/**/*.tif, or the lines of a file. "
    "The plan appears here as you type."
)

_Part = Content | str | tuple[str, str]


class PlanView(Static):
    """Shows a plan, or why there is none."""

    def __init__(self) -> None:
        super().__init__(Content.styled(HOW_TO, _QUIET), id="plan")

    def hint(self) -> None:
        """Say how to begin."""
        self.update(Content.styled(HOW_TO, _QUIET))

    def refuse(self, sentences: Iterable[str]) -> None:
        """Say why it can't be launched: all the reasons there are."""
        reasons = [(f"{plain(sentence)}\n", "$text-error") for sentence in sentences]
        self.update(Content.assemble(("It can't be launched yet.\n", "bold"), *reasons).rstrip())

    def show(self, prepared: Prepared, scripts: Sequence[Sequence[str]] = ()) -> None:
        """Say what will happen; *scripts* are the heads of the first job's script of each step."""
        parts: list[_Part] = []
        several = len(prepared.plans) > 1
        for number, ((step, plan), command) in enumerate(
            zip(prepared.plans, prepared.typed, strict=True), start=1
        ):
            if several:
                parts += [(f"Step {number}: {plain(step.name)}\n", "bold $text-primary")]
            parts += _of_step(plan, command)
        parts += _items(prepared)
        parts += _folders(prepared)
        for warning in prepared.warnings:
            parts += [("! ", "bold $text-warning"), plain(in_form(warning)), "\n"]
        for number, script in enumerate(scripts, start=1):
            of = f" of step {number}" if several else ""
            parts += [
                ("\n", ""),
                (f"The first job{of} asks SLURM, before the worker and its tasks:\n", _QUIET),
            ]
            parts += [f"{plain(line)}\n" for line in script]
        self.update(Content.assemble(*parts).rstrip())


def _of_step(plan: Plan, command: str) -> list[_Part]:
    batches = len(plan.batches)
    parts: list[_Part] = [
        (f"{plan.tasks:,}", "bold"),
        f" {_word(plan.tasks, 'task')} in ",
        (f"{batches:,}", "bold"),
        f" {_word(batches, 'batch', 'batches')}",
    ]
    if batches > 1:
        parts.append(f" of up to {plan.tasks_per_batch:,}")
    parts += [
        ", ",
        (f"{plan.slots_per_batch:,}", "bold"),
        " at a time" if batches == 1 else " at a time in each",
        "\n",
    ]
    needs = [f"{plan.cpus_per_batch:,} {_word(plan.cpus_per_batch, 'CPU')}"]
    if plan.mem_mb_per_batch is not None:
        needs.append(f"{format_mb(plan.mem_mb_per_batch)} of memory")
    parts += [("asks for ", _QUIET), f"{' and '.join(needs)}{'' if batches == 1 else ' per batch'}", "\n"]
    parts += [("because  ", _QUIET), plain(plan.reason), "\n"]
    parts += [("first    ", _QUIET), (plain(command), "$text-primary"), "\n"]
    return parts


def _items(prepared: Prepared) -> list[_Part]:
    items = prepared.request.items
    if not items:
        return []
    some = [items[0].value, items[-1].value] if len(items) > 1 else [items[0].value]
    return [("items    ", _QUIET), " … ".join(plain(item, 200) for item in some), "\n"]


def _folders(prepared: Prepared) -> list[_Part]:
    spec = prepared.request.spec
    parts: list[_Part] = []
    if not spec.workdir:
        parts += [("works in ", _QUIET), "the run's own folder, on the cluster\n"]
    if spec.folder is not None:
        parts += [("project  ", _QUIET), plain(spec.folder), "\n"]
    return parts


def _word(number: int, one: str, many: str = "") -> str:
    return one if number == 1 else (many or f"{one}s")
