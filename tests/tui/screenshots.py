"""Draws screenshots/*.svg from a made-up store, the same on every run: `python -m tests.tui.screenshots`."""

from __future__ import annotations

import asyncio
import html
import os
import re
import tempfile
import time
from pathlib import Path

from rich.cells import cell_len
from textual.widgets import Input

from tests.tui import check_story, resource_story, slurm_story, stores
from tests.tui.stage import Logs, Stage, at, make_home, on_stage, sees
from tui.dashboard import Dashboard
from tui.messages import OpenCheck, OpenField
from tui.screens.confirm import Confirm
from tui.screens.edit import EditPage
from tui.screens.resources import ResourcesPage
from tui.widgets.tasks_pane import TasksPane

FOLDER = Path(__file__).parents[2] / "screenshots"

SIZE = (120, 34)

LOG = b"""\
field_0640: 2048 x 2048, 3 channels
background 112.4, threshold 431.0 (otsu)
nuclei: 214 found, 9 touch the border
cells: growing from 205 seeds
  iteration  1: 205 regions, 38.1 % of the field
  iteration  2: 205 regions, 44.6 % of the field
  iteration  3: 205 regions, 47.0 % of the field
cells: 3 regions have no cytoplasm
Traceback (most recent call last):
  File "/srv/data/segment.py", line 118, in <module>
    main(sys.argv[1:])
  File "/srv/data/segment.py", line 104, in main
    masks = fill(grow(seeds, image), holes=64)
  File "/srv/data/segment.py", line 71, in fill
    raise ValueError(f"channel 3 is saturated in {share:.0%} of the field")
ValueError: channel 3 is saturated in 61% of the field
"""
"""What the task that is looked at has said."""

FAILED = 640
"""That task."""

_PIECE = re.compile(
    r'<text( class="[^"]*") x="([0-9.]+)"( y="[^"]*") textLength="([0-9.]+)"([^>]*)>([^<]*)</text>'
)


async def main() -> None:
    """Every screen once."""
    FOLDER.mkdir(exist_ok=True)
    _forget_the_environment()
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "home", stores.typical)
        run = "k3f9a2bc"
        async with on_stage(home, size=SIZE) as stage:
            await stage.press("down")
            await sees(stage, "c cancel", "~4 min")
            draw(stage, "runs")
        async with on_stage(home, size=SIZE, run=run, logs={(run, FAILED): LOG}) as stage:
            await stage.press("2")
            draw(stage, "batches")
            await stage.press("1", "f")
            stage.app.screen.query_one(TasksPane).table.move_to(str(FAILED))
            await sees(stage, "ValueError: channel 3", "python3 segment.py")
            draw(stage, "run")
            await stage.press("c")
            await at(stage, Confirm)
            draw(stage, "confirm")
            await stage.press("n", "enter")
            await sees(stage, "Traceback (most recent call last):", "ValueError: channel 3")
            draw(stage, "log")
        await clusters(Path(folder))
        await resources(Path(folder))
        await launch(Path(folder))


def _forget_the_environment() -> None:
    # A plan names the variables that look secret, and a terminal's own would change the look.
    for name in list(os.environ):
        if name not in ("PATH", "HOME"):
            del os.environ[name]
    os.environ["RUNYARD_ASCII"] = "0"
    os.environ["TZ"] = "UTC"
    time.tzset()


async def clusters(folder: Path) -> None:
    """Work on two clusters, one of which can't be reached."""
    home = make_home(folder / "home3", slurm_story.clusters)
    async with on_stage(home, size=SIZE) as stage:
        await stage.press("down", "down")
        await sees(stage, "denoise  etna can't be reached", "~2 min")
        draw(stage, "clusters")
        await stage.press("L", "end", *["up"] * 4)
        await sees(stage, "✗ exit 1  sbatch")
        draw(stage, "commands")
    async with on_stage(home, size=SIZE, run=slurm_story.RUN) as stage:
        await stage.press("2", *["down"] * 7)
        await sees(stage, "○ batch 7 pending  waiting for jobs with higher priority", "~2 min left")
        draw(stage, "slurm")


async def resources(folder: Path) -> None:
    """The resources of a site, the form of one, and what the check of it has found."""
    os.environ["HOME"] = str(folder / "home4")
    home = make_home(folder / "home4", slurm_story.clusters)
    resource_story.tell(home)
    async with on_stage(home, size=SIZE) as stage:
        await stage.press("R")
        await at(stage, ResourcesPage)
        await sees(stage, "uzh", "✗ broken")
        await stage.press("down")
        await sees(stage, "mira.json")
        draw(stage, "resources")
        stage.app.post_message(OpenField("alps", None, "jobs_runner_config.default_slurm_config.mem"))
        await at(stage, EditPage)
        await sees(stage, "now 4G")
        await stage.press("backspace", *"iB")
        await sees(stage, "✗ mem must be memory", '"mem": "4iB"')
        draw(stage, "edit")
        await stage.press("ctrl+o")
        await stage.press("f5")
        await sees(stage, "#SBATCH --partition=main")
        draw(stage, "script")
    async with on_stage(home, size=SIZE) as stage:
        assert isinstance(stage.app, Dashboard) and isinstance(stage.app.client, Logs)
        stage.app.client.findings = list(check_story.ALL)
        stage.app.post_message(OpenCheck("alps"))
        await sees(stage, "done at")
        await sees(stage, "main, gpu, short")
        draw(stage, "check")


async def launch(folder: Path) -> None:
    """The form, filled in."""
    data = folder / "plate-4"
    data.mkdir()
    for number in range(240):
        (data / f"field_{number:04d}.tif").touch()
    os.chdir(data)
    home = make_home(folder / "home2", None)
    async with on_stage(home, size=SIZE) as stage:
        await stage.press("n")
        fields = {"command": "gzip -k --best {item}", "items": "*.tif", "name": "compress-plate-4"}
        for key, text in {**fields, "workdir": ".", "cpus": "1", "mem": "1G", "slots": "2"}.items():
            stage.app.screen.query_one(f"#field-{key}", Input).value = text
        await sees(stage, "240")
        draw(stage, "launch")


def draw(stage: Stage, name: str) -> None:
    """Keep what is on the screen."""
    drawn = _PIECE.sub(_trimmed, stage.app.export_screenshot(title="Runyard"))
    (FOLDER / f"{name}.svg").write_text(drawn, encoding="utf-8")


def _trimmed(piece: re.Match[str]) -> str:
    # Some programs that draw SVG drop blanks at the ends of a text, and shift what is left of it.
    kind, x, y, length, more, text = piece.groups()
    text = text.replace("&#160;", "\xa0")
    cell = float(length) / max(1, cell_len(html.unescape(text)))
    kept = text.lstrip("\xa0")
    start = float(x) + (len(text) - len(kept)) * cell
    kept = kept.rstrip("\xa0")
    width = cell_len(html.unescape(kept)) * cell
    return f'<text{kind} x="{start:g}"{y} textLength="{width:g}"{more}>{kept}</text>' if kept else ""


if __name__ == "__main__":
    asyncio.run(main())
