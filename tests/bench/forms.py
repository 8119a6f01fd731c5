"""How the form does with the largest document that it has: opening it, its sections, and typing."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.figures import Figure
from tests.tui.form_stage import DEFAULT, GPU, PIXI, document, form_stage

LINES = 12
"""Of a script, in each list: with the fields around them a section has as many as should be mounted."""

ROUNDS, KEYS = 5, 30


def on_screen() -> Iterator[Figure]:
    """Opening the largest form and its largest section, and a key in it."""
    opened, shown, keys = asyncio.run(_measured())
    yield Figure("form, all fields of slurm_ssh filled: opening it, CPU", statistics.median(opened), "s", 0.3)
    yield Figure("… showing its largest section, CPU", statistics.median(shown), "s", 0.3)
    # As in a terminal: what a key costs, from the press to the screen.
    yield Figure("… a key that is typed, CPU", statistics.median(keys) * 1000, "ms", 20)


async def _measured() -> tuple[list[float], list[float], list[float]]:
    opened: list[float] = []
    shown: list[float] = []
    keys: list[float] = []
    for _ in range(ROUNDS):
        async with form_stage(_largest(), size=(160, 45)) as stage:
            await stage.go_to((*PIXI, "SLURM_CONFIG"))
            began = time.process_time()
            stage.form.show(stage.draft)
            await stage.pilot.pause()
            opened.append(time.process_time() - began)
            for path in (DEFAULT, GPU):
                began = time.process_time()
                await stage.go_to((*path, "constraint"))
                shown.append(time.process_time() - began)
            for _ in range(KEYS // ROUNDS):
                began = time.process_time()
                await stage.press("5")
                keys.append(time.process_time() - began)
    return opened, shown, keys


def _largest() -> dict[str, Any]:
    slurm = {
        "partition": "main",
        "cpus_per_task": 4,
        "mem": "16G",
        "constraint": "a100",
        "gres": "gpu:a100:1",
        "exclude": "node[1-3]",
        "nodelist": "node7",
        "nodes": 1,
        "time": "1-00:00:00",
        "account": "lab",
        "extra_lines": [f"module load part{n}" for n in range(LINES)],
        "gpus": "1",
        "shebang_line": "#!/bin/bash",
        "use_mem_per_cpu": True,
    }
    found = document(
        tasks_pixi_config={
            "default_version": "0.54.1",
            "versions": {"0.54.1": "/opt/pixi/0.54.1"},
            "SLURM_CONFIG": {"partition": "main", "cpus": 1, "mem": "4G", "time": "60", "preamble": ["a"]},
        }
    )
    runner: dict[str, Any] = found["jobs_runner_config"]
    runner["default_slurm_config"] = slurm
    runner["gpu_slurm_config"] = slurm
    return found
