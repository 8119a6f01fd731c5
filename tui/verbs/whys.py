"""Why batches wait and tasks have failed, and what to do: for people, each cause once, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runners.explanation import Explanation
from runners.remedies import PLAIN
from runners.store.rows import RunRow
from tui import output


def why_object(explained: Explanation | None) -> dict[str, Any]:
    """*explained* as a part of a JSON object."""
    if explained is None:
        return {"why": "", "remedy": ""}
    return {"why": explained.sentence, "remedy": explained.remedy}


def print_causes(title: str, told: Sequence[tuple[Explanation, int]], noun: str) -> None:
    """Print each cause under a *title*, how many (things called *noun*) have it, and what to do."""
    told = [(explained, number) for explained, number in told if explained.cause != PLAIN]
    if not told:
        return
    output.line()
    output.line(title)
    for explained, number in told:
        plural = "es" if noun.endswith("ch") else "s"
        output.line(f"  {number:,} {noun}{plural if number != 1 else ''}: {explained.sentence}")
        output.line(f"    {explained.remedy}")


def print_again(run: RunRow, more: Mapping[str, str]) -> None:
    """Print how to go on from the failures of *run*, whose retry should give each task *more*."""
    options = "".join(f" --{name} {value}" for name, value in more.items())
    output.line(
        f"runyard logs {run.id} shows what they printed, runyard retry {run.id}{options} runs them again."
    )
