"""`runyard show RUN`: all that is known of one run."""

from __future__ import annotations

import argparse
import time

from runners.config.home import Home
from runners.states import State
from runners.store.reader import Reader
from runners.store.rows import BatchRow, Counts, RunRow
from tui import output
from tui.alike import alike
from tui.batch_words import batch_sign, elapsed_words, host_words, id_words, limit_words, why_words
from tui.failure import ExitCode
from tui.output import Column
from tui.signals import in_words
from tui.standing import moment_of, place_of, reached_words
from tui.verbs.opening import add_json, add_run, example, found_run, keep_up
from tui.verbs.ps import elapsed
from tui.verbs.rows import batch_object, place_object, run_object, step_object
from tui.verbs.whys import print_again, print_causes, why_object
from tui.whys import Whys

_STEPS = (
    Column("step"),
    Column("state"),
    Column("done", "right"),
    Column("failed", "right"),
    Column("command", stretches=True),
)
_BATCHES = (
    Column("batch", "right"),
    Column("state"),
    Column("done", "right"),
    Column("failed", "right"),
    Column("slots", "right"),
    Column("id"),
    Column("elapsed", "right"),
    Column("limit", "right"),
    Column("on", stretches=True),
    Column("reason", stretches=True),
)
_MOST = 20
"""Batches, and reasons of failure, that are printed for a person."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "Show one run: its state, steps and batches, and why tasks failed.",
        "runyard show last",
        "runyard show 3k9m --json",
    )
    add_run(parser)
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """Show it."""
    with found_run(home, args.run) as (store, run), store.snapshot():
        run = store.run(run.id)
        keep_up(home, store, [run])
        if args.json:
            place = place_of(run, store.places())
            whys = Whys(store, run)
            output.data(
                {
                    **run_object(run),
                    **why_object(whys.of_run()),
                    "reached": None if place is None else place_object(place),
                    "batches": [
                        {**batch_object(batch), **why_object(whys.of_batch(batch))} for batch in whys.batches
                    ],
                    "steps": [step_object(step) for step in store.steps(run.id)],
                }
            )
        else:
            _print(store, run)
    return ExitCode.OK


def told(counts: Counts) -> str:
    """Counts in words, without those that are zero."""
    return ", ".join(f"{number:,} {word}" for word, number in counts.as_dict().items() if number) or "none"


def _print(store: Reader, run: RunRow) -> None:
    place = place_of(run, store.places())
    now = moment_of(run, place, time.time())
    whys = Whys(store, run)
    partitions = {name for batch in whys.batches for name in batch.partition.split(",") if name}
    output.facts(
        [
            ("run", f"{run.id}  {run.name}"),
            ("state", output.state(run.state) + (f": {run.reason}" if run.reason else "")),
            ("cancelling", "yes" if run.cancelling and not run.state.final else ""),
            ("tasks", told(run.counts)),
            ("elapsed", elapsed(run, now)),
            ("created", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.created))),
            ("resource", run.resource + (f" as {run.profile}" if run.profile else "")),
            ("partition", ", ".join(sorted(partitions))),
            ("reached", reached_words(place, time.time())),
            ("retry of", run.retry_of or ""),
            ("works in", run.workdir or run.folder),
            ("writes to", run.folder),
        ]
    )
    steps = store.steps(run.id)
    output.line()
    output.table(
        _STEPS,
        [
            (
                f"{step.position + 1} {step.name}",
                output.state(step.state),
                f"{step.counts.done:,}/{step.counts.total:,}",
                f"{step.counts.failed:,}",
                step.command,
            )
            for step in steps
        ],
    )
    for step in steps:
        if step.plan:
            output.line(f"step {step.position + 1}: {step.plan}")
    if batches := whys.batches:
        output.line()
        # Where there are too many, those that are done have the least to tell.
        some = batches if len(batches) <= _MOST else [b for b in batches if b.state is not State.DONE]
        output.table(_BATCHES, [_batch(batch, now) for batch in some[:_MOST]])
        if more := len(batches) - len(some[:_MOST]):
            output.line(f"and {more} more: runyard show {run.id} --json")
    if not run.reason and (waiting := whys.waiting()):
        print_causes("why batches wait:", waiting, "batch")
    elif (explained := whys.held()) is not None:
        print_causes("why it does not go on:", [(explained, 1)], "run")
    if run.counts.failed:
        _print_failures(run, whys)


def _batch(batch: BatchRow, now: float) -> tuple[str, ...]:
    shown = batch_sign(batch)
    nodes = f"{batch.nodes:,} nodes: " if batch.nodes is not None and batch.nodes > 1 else ""
    hosts = host_words(batch)
    return (
        str(batch.number),
        f"{shown.glyph} {shown.word}",
        f"{batch.counts.done:,}/{batch.counts.total:,}",
        f"{batch.counts.failed:,}",
        str(batch.slots),
        id_words(batch),
        elapsed_words(batch, now),
        limit_words(batch),
        nodes + hosts if hosts else "",
        why_words(batch),
    )


def _print_failures(run: RunRow, whys: Whys) -> None:
    output.line()
    output.line("failed:")
    for text, number, first in alike(in_words(task.reason or "no reason given") for task in whys.failed)[
        :_MOST
    ]:
        output.line(f"  {number:,} × {text} (first: task {whys.failed[first].index})")
    print_causes("why tasks failed, and what to do:", whys.failures(), "task")
    print_again(run, whys.advised)
