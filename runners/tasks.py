"""From a step and its items to batches that a runner can be given. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from runners.batches import BatchSpec, TaskSpec
from runners.layout import TaskFiles, batch_folder
from runners.workflow import Item, Step, arguments, placeholders, render


@dataclass(frozen=True, slots=True)
class Numbered:
    """One task before it is rendered."""

    index: int
    """Its position within the run."""
    place: int
    """Its item's position within the dataset: ``{index}``."""
    item: Item | None
    """None for a step that runs once."""


class StepContext(NamedTuple):
    """What all batches of a step share."""

    run: str
    step: Step
    folder: str
    """Absolute; the step's own."""
    workdir: str
    environment: Mapping[str, str]
    dataset: Sequence[Item] = ()
    """All items, where the step runs once and is given them together."""


def batch_spec(
    context: StepContext, tasks: Iterable[Numbered], *, token: str, number: int, slots: int
) -> BatchSpec:
    """The batch *number* of a run, with *tasks* of one step.

    Raises:
        TemplateError: the step's command can't be rendered for one of them.
    """
    step = context.step
    files = TaskFiles(step, context.folder, number)
    uses: dict[tuple[str, ...], frozenset[str]] = {}
    specs = []
    for task in tasks:
        index, item = task.index, task.item
        columns = tuple(item.fields or ()) if item is not None else ()
        if columns not in uses:
            uses[columns] = placeholders(step, columns)
        args, out = files.args(index), files.out(index)
        given: dict[str, Any] | None = None
        if "args_json" in uses[columns]:
            given = arguments(step, context.dataset if item is None else [item])
        argv = render(step, item, task.place, args_json=args, out_json=out)
        specs.append(
            TaskSpec(
                index=index,
                argv=tuple(argv),
                log=files.log(index),
                limit_s=step.meta.time,
                args=given,
                args_path=None if given is None else args,
                out_path=out if "out_json" in uses[columns] else None,
            )
        )
    folder = batch_folder(context.folder, token)
    return BatchSpec(
        token, context.run, folder, context.workdir, context.environment, slots, specs, step.meta
    )
