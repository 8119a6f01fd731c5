"""Launch: a form, and beside it the plan, made anew as one types."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from runners.config.errors import ConfigError
from runners.config.files import ensure_local_resource
from runners.config.home import Home
from runners.launching import LaunchError, Prepared, prepare
from runners.requests import RequestKind
from runners.states import State
from tui.forms.launch import LaunchDraft
from tui.messages import OpenRun
from tui.screens.page import Page
from tui.signs import sign
from tui.widgets.plan_view import PlanView
from tui.widgets.tick import Tick

PAUSE_S = 0.15
"""How long nobody types before the plan is made: files may have to be looked for."""


class Field(Horizontal):
    """A label and a line to type in."""

    def __init__(
        self, key: str, label: str, *, placeholder: str = "", value: str = "", wide: bool = True
    ) -> None:
        super().__init__(classes="wide" if wide else "narrow")
        self.key = key
        self._label = label
        self._placeholder = placeholder
        self._value = value

    def mark(self, *, wrong: bool) -> None:
        """Show whether this is the field that can't be."""
        if wrong != self.has_class("-wrong"):
            self.set_class(wrong, "-wrong")
            glyph = f"{sign(State.FAILED).glyph} " if wrong else ""
            self.query_one(Label).update(f"{glyph}{self._label}")

    def compose(self) -> ComposeResult:
        """Both."""
        yield Label(self._label, markup=False)
        field = Input(self._value, placeholder=self._placeholder, compact=True, id=f"field-{self.key}")
        field.cursor_blink = False
        yield field


def _prepared(draft: LaunchDraft, home: Home) -> Prepared:
    # A new home has no resource before its first engine.
    try:
        ensure_local_resource(home.resources, home.jobs.parent)
    except ConfigError as error:
        raise LaunchError(str(error)) from error
    return prepare(draft.options(), home)


class LaunchPage(Page):
    """The form to launch a run."""

    CSS_PATH = "launch.tcss"
    HELP_TITLE = "Launch"
    ABOUT = (
        "A command is run once for each item; {item} {index} {name} {stem} {parent} in it stand for the "
        "item, its number, and the parts of its path. Nothing starts before ctrl+s."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "launch", "launch", id="launch.launch", tooltip="Launch what the plan says"),
        Binding("escape", "back", "leave", id="launch.back", tooltip="Leave; nothing is launched"),
        Binding("tab", "app.focus_next", "next field", id="launch.next", tooltip="To the next field"),
        Binding("down", "app.focus_next", "next", show=False, id="launch.down", tooltip="To the next field"),
        Binding(
            "up", "app.focus_previous", "previous", show=False, id="launch.up", tooltip="To the field before"
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._draft = LaunchDraft()
        self._prepared: Prepared | None = None
        self._refused: LaunchError | None = None
        self._pause: Timer | None = None
        self._planning = False
        self._launch_wanted = False
        self._asking = False

    def compose_body(self) -> Iterable[Widget]:
        """Form and plan."""
        with Horizontal(id="launch"):
            with Vertical(id="form"):
                yield Static("Launch", id="title", markup=False)
                yield Field("command", "command", placeholder="gzip -k {item}")
                yield Field("items", "items", placeholder="*.csv data/**/*.tif")
                yield Field("items_from", "or a list", placeholder="file: an item a line, .csv or .jsonl")
                yield Field("workflow", "or steps", placeholder="workflow.json, in place of a command")
                yield Field("workdir", "in folder", value=os.getcwd())
                with Horizontal(classes="row"):
                    yield Field("resource", "resource", value="local", wide=False)
                    yield Field("name", "name", placeholder="as the command", wide=False)
                with Horizontal(classes="row"):
                    yield Field("cpus", "CPUs", placeholder="1", wide=False)
                    yield Field("mem", "memory", placeholder="4G", wide=False)
                with Horizontal(classes="row"):
                    yield Field("time", "time", placeholder="90m", wide=False)
                    yield Field("slots", "slots", placeholder="as many as fit", wide=False)
                yield Tick("the command is a line for a shell", id="field-shell")
            with VerticalScroll(id="plan-frame") as frame:
                frame.border_title = "Plan"
                yield PlanView()

    def on_mount(self) -> None:
        """Begin with the command."""
        self.query_one("#field-command", Input).focus()

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()

    def action_launch(self) -> None:
        """Launch, as soon as the plan is that of what is typed."""
        if self._asking:
            return
        self._launch_wanted = True
        self._plan_now()

    @on(Input.Changed)
    @on(Tick.Changed)
    def _typed(self) -> None:
        self._launch_wanted = False
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._plan_now)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.focus_next()

    def _plan_now(self) -> None:
        if not self._planning:
            self._planning = True
            self.run_worker(self._plan(), group="plan", exit_on_error=False)

    async def _plan(self) -> None:
        """Plan until the plan is that of what is typed.

        Only one at a time, for a pattern may match a whole disk and a thread can't be called back.
        """
        try:
            while True:
                draft = self._read()
                if draft != self._draft or (self._prepared is None and self._refused is None):
                    self._draft = draft
                    await self._make(draft)
                    continue
                break
        finally:
            self._planning = False
        self._show()
        if self._launch_wanted:
            self._launch_wanted = False
            self._launch()

    async def _make(self, draft: LaunchDraft) -> None:
        self._prepared = self._refused = None
        try:
            self._prepared = await asyncio.to_thread(_prepared, draft, self.dashboard.home)
        except LaunchError as error:
            self._refused = error

    def _show(self) -> None:
        view = self.query_one(PlanView)
        faulty = ""
        if self._prepared is not None:
            view.show(self._prepared)
        elif self._draft.blank:
            view.hint()
        elif self._refused is not None:
            faulty = self._refused.field
            view.refuse(str(self._refused))
        for field in self.query(Field):
            field.mark(wrong=field.key == faulty)

    def _launch(self) -> None:
        if self._prepared is None:
            if self._refused is not None:
                self.dashboard.tell(str(self._refused), wrong=True)
                fields = self.query(f"#field-{self._refused.field or 'command'}")
                if fields:
                    fields.first().focus()
            return
        request = self._prepared.request
        self._asking = True
        self.dashboard.ask(
            RequestKind.LAUNCH,
            request,
            then=lambda: self._launched(request.run),
            otherwise=self._not_launched,
        )

    def _launched(self, run: str) -> None:
        if self.is_current:
            self.dismiss()
            self.dashboard.post_message(OpenRun(run))

    def _not_launched(self) -> None:
        # The same id again: should the engine have begun after all, it does not begin twice.
        self._asking = False

    def _read(self) -> LaunchDraft:
        texts = {field.key: field.query_one(Input).value for field in self.query(Field)}
        return LaunchDraft(shell=self.query_one("#field-shell", Tick).value, **texts)
