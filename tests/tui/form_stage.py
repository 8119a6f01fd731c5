"""A form on a screen of its own, with a document that has something of everything."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from unittest.mock import patch

from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Input

from tui.forms.draft import MISSING, Draft
from tui.forms.spec import RESOURCE_SPEC, FieldSpec, Path
from tui.key_order import InOrder
from tui.theme import DARK
from tui.widgets.form.about import about
from tui.widgets.form.form import Form
from tui.widgets.form.lines import Lines
from tui.widgets.form.row import Row
from tui.widgets.key_hints import KeyHints
from tui.widgets.paragraph_view import ParagraphView

DEFAULT: Path = ("jobs_runner_config", "default_slurm_config")
GPU: Path = ("jobs_runner_config", "gpu_slurm_config")
BATCHING: Path = ("jobs_runner_config", "batching_config")
EXPORTS: Path = ("jobs_runner_config", "user_local_exports")
PYTHON: Path = ("tasks_python_config",)
PIXI: Path = ("tasks_pixi_config",)

DOCUMENT: dict[str, Any] = {
    "type": "slurm_ssh",
    "name": "hpc",
    "host": "login.example.org",
    "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3.12"}},
    "tasks_pixi_config": {},
    "tasks_local_dir": "/data/tasks",
    "jobs_local_dir": "/data/jobs",
    "jobs_slurm_python_worker": "/usr/bin/python3",
    "jobs_runner_config": {
        "default_slurm_config": {
            "partition": "main",
            "cpus_per_task": 1,
            "mem": "3G",
            "gres": None,
            "extra_lines": ["module load a", "module load b", "module load c"],
        },
        "batching_config": {
            "target_num_jobs": 10,
            "max_num_jobs": 20,
            "target_cpus_per_job": 1,
            "max_cpus_per_job": 4,
            "target_mem_per_job": "4G",
            "max_mem_per_job": "16G",
        },
        "user_local_exports": {"CELLPOSE_LOCAL_MODELS_PATH": "cellpose"},
    },
}


class FormApp(InOrder[None]):
    """A form, its field in words, and the keys."""

    CSS: ClassVar[str] = """
    Screen { background: $surface; }
    ParagraphView { height: 4; border-top: solid $border-blurred; }
    """

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft
        self.changes = 0
        self.at: Path = ()

    def compose(self) -> ComposeResult:
        yield Form(self.draft)
        yield ParagraphView()
        yield KeyHints(pointless=tuple)

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name

    def on_form_changed(self) -> None:
        self.changes += 1
        self._tell()

    def on_form_field_focused(self, event: Form.FieldFocused) -> None:
        self.at = event.path
        self._tell()

    def _tell(self) -> None:
        self.query_one(ParagraphView).tell(about(self.draft, self.at))


class FormStage:
    """What a test does with a form, and sees of it."""

    def __init__(self, app: FormApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.draft = app.draft
        self.form = app.query_one(Form)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*("space" if character == " " else character for character in text))

    async def burst(self, *keys: str) -> None:
        """Keys all at once, as they come from a terminal behind a slow line; wait for the last."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await self.pilot.pause()
        await self.pilot.pause()

    async def go_to(self, path: Path) -> None:
        self.form.go_to(path)
        await self.pilot.pause()
        await self.pilot.pause()

    async def until(self, true: Callable[[], bool]) -> None:
        """Let the form go on, a step at a time, until something is *true*."""
        for _ in range(100_000):
            if true():
                return
            await asyncio.sleep(0)
        raise AssertionError("It never came true.")

    async def click(self, row: Row, x: int) -> None:
        """Click on a cell of a line, counted from its left."""
        await self.click_at(row.region.offset + Offset(x, 0))

    async def click_at(self, at: Offset) -> None:
        assert await self.pilot.click(offset=(at.x, at.y))
        await self.pilot.pause()

    def row(self, path: Path) -> Row:
        """The line of a field that is shown."""
        return next(row for row in self.rows if row.path == path)

    @property
    def rows(self) -> list[Row]:
        return list(self.app.query_one(Lines).rows)

    @property
    def focused(self) -> Path:
        """Of the field that has the focus."""
        return next((row.path for row in self.rows if row.has_focus_within), ("nowhere",))

    @property
    def input(self) -> Input:
        """The line that is typed in."""
        focused = self.app.focused
        assert isinstance(focused, Input)
        return focused

    @property
    def text(self) -> str:
        """The screen, line by line."""
        return "\n".join(line.text.rstrip() for line in self.app.screen._compositor.render_strips())

    def line(self, path: Path) -> str:
        """What the line of a field shows."""
        return self.text.splitlines()[self.row(path).region.y]


def document(**changes: Any) -> dict[str, Any]:
    """The document, with other values at the top."""
    return {**copy.deepcopy(DOCUMENT), **changes}


@asynccontextmanager
async def form_stage(
    value: object = MISSING,
    *,
    spec: FieldSpec = RESOURCE_SPEC,
    size: tuple[int, int] = (80, 24),
    saved: object = MISSING,
) -> AsyncIterator[FormStage]:
    """A form of *value*, by default of a document without a fault, opened from a file that holds the same."""
    value = document() if value is MISSING else value
    draft = Draft(spec, value, saved=copy.deepcopy(value) if saved is MISSING else saved)
    app = FormApp(draft)
    with (
        patch("textual._wait.SLEEP_GRANULARITY", 0.005),
        patch("textual._wait.SLEEP_IDLE", 0.0005),
    ):
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield FormStage(app, pilot)
