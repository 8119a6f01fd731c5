"""Launch: a form, and beside it the plan, made anew as one types."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from runners.config.errors import ConfigError
from runners.config.files import ensure_local_resource
from runners.config.home import Home
from runners.launching import LaunchError, Prepared, prepare
from runners.requests import RequestKind
from runners.states import State
from runners.workflow import StepMeta
from tui.forms.echoes import meaning
from tui.forms.hints import Hints, hints
from tui.forms.launch import LaunchDraft
from tui.forms.spec import Kind
from tui.forms.words import LABELS, SHELL_LABEL, in_form
from tui.messages import OpenRun
from tui.sample_script import sample_scripts
from tui.screens.page import Page
from tui.signs import sign
from tui.widgets.plan_view import PlanView
from tui.widgets.tick import Tick
from tui.widgets.typed import Typed

PAUSE_S = 0.15
"""How long nobody types before the plan is made: files may have to be looked for."""


_MEANS = {"mem": Kind.MEMORY, "time": Kind.TIME}
"""Fields of which is told what was typed means: `25:99` is minutes and seconds."""


class Field(Horizontal):
    """A label, a line to type in, and what is typed in other words."""

    def __init__(self, key: str, hint: str, value: str, *, wide: bool = True) -> None:
        super().__init__(classes=None if wide else "narrow")
        self.key = key
        self._hint = hint
        self._value = value
        self._names: Sequence[str] = ()

    def mark(self, *, wrong: bool) -> None:
        """Show whether this is a field that can't be."""
        if wrong != self.has_class("-wrong"):
            self.set_class(wrong, "-wrong")
            glyph = f"{sign(State.FAILED).glyph} " if wrong else ""
            self.query_one(Label).update(f"{glyph}{LABELS[self.key]}")

    def hint(self, hints: Hints) -> None:
        """Say and offer what there is for this field."""
        typed = self.query_one(Typed)
        typed.placeholder = hints.texts.get(self.key, typed.placeholder)
        names = hints.names.get(self.key, ())
        if names != self._names:
            self._names = names
            typed.offer(names)

    def compose(self) -> ComposeResult:
        """All three."""
        yield Label(LABELS[self.key], markup=False)
        yield Typed(self._value, placeholder=self._hint, select_on_focus=False, id=f"field-{self.key}")
        if self.key in _MEANS:
            yield Static(self._meaning(self._value), classes="meaning", markup=False)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        if self.key in _MEANS:
            self.query_one(".meaning", Static).update(self._meaning(event.value))

    def _meaning(self, text: str) -> str:
        means = meaning(_MEANS[self.key], text)
        return f" = {means}" if means else ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a draft comes to."""

    prepared: Prepared | None = None
    """None where it can't be launched."""
    scripts: Sequence[Sequence[str]] = ()
    """For each step the head of its first job's script, where there are jobs."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """All that is wrong with it, by field; "" is for what is of no field."""
    hints: Hints = field(default_factory=Hints)


def _look(draft: LaunchDraft, home: Home) -> Looked:
    faults = draft.faults()
    prepared = None
    scripts: Sequence[Sequence[str]] = ()
    try:
        # A new home has no resource before its first engine.
        ensure_local_resource(home.resources, home.jobs.parent)
        prepared = prepare(draft.without(faults).options(), home)
        scripts = sample_scripts(prepared, home)
    except ConfigError as error:
        faults[""] = str(error)
    except LaunchError as error:
        # A field that was left out may be what is missing now; what is wrong with it is known better.
        faults.setdefault(error.field, str(error))
    if prepared is not None:
        steps = [step.meta for step, _ in prepared.plans]
    else:
        steps = [] if draft.workflow.strip() else [StepMeta()]
    return Looked(
        None if faults else prepared,
        scripts,
        {key: in_form(fault) for key, fault in faults.items()},
        hints(home, draft.resource_name, steps),
    )


class LaunchPage(Page):
    """The form to launch a run."""

    CSS_PATH = "launch.tcss"
    NAMES: ClassVar[Mapping[str, str]] = {
        "launch": "Launch work",
        "empty": "Empty the form",
        "back": "Leave the form",
    }
    HELP_KEY = "F1"
    HELP_TITLE = "Launch"
    ABOUT = (
        "A command is run once for each item; {item} {index} {name} {stem} {parent} in it stand for the "
        "item, its number, and the parts of its path. Nothing starts before ctrl+s. What is typed stays in "
        "the form when it is left."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "launch", "launch", id="launch.launch", tooltip="Launch what the plan says"),
        Binding("escape", "back", "leave", id="launch.back", tooltip="Leave; nothing is launched"),
        Binding("ctrl+r", "empty", "empty", id="launch.empty", tooltip="Empty all fields"),
        Binding(
            "tab,down",
            "app.focus_next",
            "next field",
            key_display="tab ↓",
            id="launch.next",
            tooltip="To the next field",
        ),
        Binding(
            "up,shift+tab",
            "app.focus_previous",
            "field before",
            show=False,
            key_display="shift+tab ↑",
            id="launch.up",
            tooltip="To the field before",
        ),
    ]

    def __init__(self, draft: LaunchDraft | None = None) -> None:
        """*draft* is what was typed before; None begins anew."""
        super().__init__()
        self._begin = draft or LaunchDraft()
        self._draft: LaunchDraft | None = None
        self._looked = Looked()
        self._pause: Timer | None = None
        self._planning = False
        self._launch_wanted = False
        self._asking = False

    def compose_body(self) -> Iterable[Widget]:
        """Form and plan."""
        with Horizontal(id="launch"):
            with Vertical(id="form"):
                yield Static("Launch", id="title", markup=False)
                yield self._field("command", "e.g. gzip -k {item}")
                yield self._field("items", "e.g. *.csv data/**/*.tif")
                yield self._field("items_from", "e.g. items.txt, an item a line; .csv, .jsonl")
                yield self._field("workflow", "e.g. workflow.json, in place of a command")
                with Container(classes="row"):
                    yield self._field("resource", "empty: local", wide=False)
                    yield self._field("profile", wide=False)
                yield self._field("workdir")
                yield self._field("folder")
                yield self._field("name", "empty: as the command")
                with Container(classes="row"):
                    yield self._field("cpus", wide=False)
                    yield self._field("mem", wide=False)
                with Container(classes="row"):
                    yield self._field("slots", wide=False)
                    yield self._field("tasks_per_job", wide=False)
                yield self._field("time")
                yield Tick(SHELL_LABEL, id="field-shell")
            with VerticalScroll(id="plan-frame") as frame:
                frame.border_title = "Plan"
                yield PlanView()

    def _field(self, key: str, hint: str = "", *, wide: bool = True) -> Field:
        hint = hint or self._looked.hints.texts[key]
        return Field(key, hint, getattr(self._begin, key), wide=wide)

    def on_mount(self) -> None:
        """Begin with the command."""
        self.query_one("#field-shell", Tick).value = self._begin.shell
        self.query_one("#field-command", Input).focus()
        self._typed()

    def action_empty(self) -> None:
        """Begin anew."""
        fresh = LaunchDraft()
        for each in self.query(Field):
            each.query_one(Input).value = getattr(fresh, each.key)
        self.query_one("#field-shell", Tick).value = fresh.shell
        self.query_one("#field-command", Input).focus()
        self._typed()

    def action_back(self) -> None:
        """Leave; what is typed is there the next time."""
        self.dashboard.draft = self._read()
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
                if draft == self._draft:
                    break
                self._looked = await asyncio.to_thread(_look, draft, self.dashboard.home)
                self._draft = draft
        finally:
            self._planning = False
        self._show()
        if self._launch_wanted:
            self._launch_wanted = False
            self._launch()

    def _show(self) -> None:
        view = self.query_one(PlanView)
        looked = self._looked
        # That there is no command yet is no fault of an empty form.
        blank = self._draft is None or self._draft.blank
        faults = {key: fault for key, fault in looked.faults.items() if not (blank and key == "command")}
        if looked.prepared is not None:
            view.show(looked.prepared, looked.scripts)
        elif faults:
            view.refuse(faults.values())
        else:
            view.hint()
        for each in self.query(Field):
            each.mark(wrong=each.key in faults)
            each.hint(looked.hints)

    def _launch(self) -> None:
        faults = self._looked.faults
        if self._looked.prepared is None:
            first = next((key for key in (*LABELS, *faults) if key in faults), "")
            self.dashboard.tell(faults[first], wrong=True)
            if first in LABELS:
                self.query_one(f"#field-{first}").focus()
            return
        request = self._looked.prepared.request
        self._asking = True
        self.dashboard.ask(
            RequestKind.LAUNCH,
            request,
            then=lambda: self._launched(request.run),
            otherwise=self._not_launched,
        )

    def _launched(self, run: str) -> None:
        self.dashboard.draft = None
        if self.is_current:
            self.dismiss()
            self.dashboard.post_message(OpenRun(run))

    def _not_launched(self) -> None:
        # The same id again: should the engine have begun after all, it does not begin twice.
        self._asking = False

    def _read(self) -> LaunchDraft:
        texts = {each.key: each.query_one(Input).value for each in self.query(Field)}
        return LaunchDraft(shell=self.query_one("#field-shell", Tick).value, **texts)
