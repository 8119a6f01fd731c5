"""How fast local work goes: Runyard's own command line and engine against the usual ways, side by side."""

import heapq
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure

RUNYARD = str(Path(sys.executable).with_name("runyard"))
"""The installed program, as a person runs it."""

LONG_S, SHORT_S, UNEVEN_TASKS, UNEVEN_SLOTS = 2.0, 0.1, 200, 4
NOOP_TASKS, NOOP_SLOTS = 5_000, 2
LAUNCHED_ITEMS = 20_000


@contextmanager
def throwaway_home(slots: int) -> Iterator[dict[str, str]]:
    """Environment of a fresh Runyard with *slots* local slots; its engine is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="runyard-bench-") as folder:
        environment = {**os.environ, "RUNYARD_HOME": folder}
        runyard(environment, "resource", "list")
        path = next(Path(folder).glob("**/resources/local/resource.json"))
        resource = json.loads(path.read_text())
        resource["jobs_runner_config"]["parallel_tasks_per_job"] = slots
        path.write_text(json.dumps(resource))
        try:
            yield environment
        finally:
            runyard(environment, "engine", "stop")


def runyard(environment: dict[str, str], *arguments: str) -> str:
    """Run the command line and return what it printed.

    Raises:
        subprocess.CalledProcessError: it ended with another code than 0.
    """
    done = subprocess.run([RUNYARD, *arguments], env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def uneven() -> Iterator[Figure]:
    """200 tasks of which every tenth takes 2.0 s and the rest 0.1 s, on 4 slots."""
    seconds = [LONG_S if index % 10 == 0 else SHORT_S for index in range(UNEVEN_TASKS)]
    bound = _greedy(seconds, UNEVEN_SLOTS)
    with throwaway_home(UNEVEN_SLOTS) as environment:
        took = _run_to_the_end(environment, [str(second) for second in seconds], "sleep", "{item}")
    barrier = _in_chunks(seconds, UNEVEN_SLOTS)
    yield Figure(
        "200 uneven tasks on 4 slots, times the greedy bound",
        took / bound,
        "x",
        1.1,
        f"Runyard {took:.2f} s, bound {bound:.2f} s, "
        f"chunks of 4 with a barrier {barrier:.2f} s ({barrier / bound:.2f} x)",
    )


def no_ops() -> Iterator[Figure]:
    """5,000 tasks that do nothing, on 2 slots, against xargs."""
    items = [str(index) for index in range(NOOP_TASKS)]
    with throwaway_home(NOOP_SLOTS) as environment:
        took = _run_to_the_end(environment, items, "true", "{item}")
    began = time.monotonic()
    subprocess.run(["xargs", f"-P{NOOP_SLOTS}", "-n1", "true"], input="\n".join(items), text=True, check=True)
    usual = time.monotonic() - began
    yield Figure(
        f"5,000 no-op tasks on 2 slots, times xargs -P{NOOP_SLOTS} -n1",
        took / usual,
        "x",
        2.0,
        f"Runyard {took:.2f} s, xargs {usual:.2f} s",
    )


def launching() -> Iterator[Figure]:
    """How long `runyard run` over 20,000 items keeps a person waiting, engine start included."""
    with throwaway_home(NOOP_SLOTS) as environment, tempfile.NamedTemporaryFile("w", suffix=".txt") as items:
        items.write("".join(f"/data/images/plate-{index:05d}.tif\n" for index in range(LAUNCHED_ITEMS)))
        items.flush()
        began = time.monotonic()
        printed = runyard(
            environment, "run", "--json", "--items-from", items.name, "--", "sleep", "0.5", "{item}"
        )
        took = time.monotonic() - began
        runyard(environment, "cancel", json.loads(printed)["run"])
    yield Figure("launching 20,000 items returns after", took, "s", 2.0)


def _run_to_the_end(environment: dict[str, str], items: list[str], *command: str) -> float:
    """Seconds from the start of the command line to the end of the run, for *command* over *items*."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{item}\n" for item in items))
        file.flush()
        began = time.monotonic()
        printed = runyard(environment, "run", "--json", "--wait", "--items-from", file.name, "--", *command)
        took = time.monotonic() - began
    run = json.loads(printed.splitlines()[0])["run"]
    counts: dict[str, Any] = json.loads(runyard(environment, "show", run, "--json"))["counts"]
    if counts["done"] != len(items):
        raise RuntimeError(f"the bench's run did not end well: {counts}")
    return took


def _greedy(seconds: list[float], slots: int) -> float:
    """When the last task ends if a free slot always takes the next one and nothing costs anything."""
    free = [0.0] * slots
    for second in seconds:
        heapq.heappush(free, heapq.heappop(free) + second)
    return max(free)


def _in_chunks(seconds: list[float], slots: int) -> float:
    """The usual way: *slots* tasks at once, and all of them awaited before the next chunk."""
    began = time.monotonic()
    for first in range(0, len(seconds), slots):
        chunk = [subprocess.Popen(["sleep", str(second)]) for second in seconds[first : first + slots]]
        for process in chunk:
            process.wait()
    return time.monotonic() - began
