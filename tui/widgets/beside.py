"""What stands beside a form: the JSON of what is edited, and what it makes of a sample of work."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, ScrollableContainer, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import ContentSwitcher, Input, Label, Static

from tui.preview import Preview, SampleTyped
from tui.widgets.json_pane import JsonPane
from tui.widgets.sample_view import PlanOfSample, ScriptOfSample
from tui.widgets.tick import Tick
from tui.widgets.typed import Typed


class Pane(StrEnum):
    """What can be shown."""

    JSON = "json"
    PLAN = "plan"
    SCRIPT = "script"


KEYS = {Pane.JSON: "F3", Pane.PLAN: "F4", Pane.SCRIPT: "F5"}


class PaneBar(Static):
    """The names of the panes; a click on one shows it."""

    class Chosen(Message):
        """The person wants to see a pane."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self) -> None:
        super().__init__(id="pane-bar")
        self._ends: list[tuple[int, Pane]] = []

    def show(self, shown: Pane) -> None:
        """Mark the one that is shown."""
        parts: list[tuple[str, str] | str] = []
        self._ends, at = [], 0
        for pane in Pane:
            name = "JSON" if pane is Pane.JSON else pane.value
            parts += [
                (f"{KEYS[pane]} ", "$foreground 50%"),
                (name, "bold underline" if pane is shown else "$foreground 70%"),
                "   ",
            ]
            at += len(KEYS[pane]) + len(name) + 4
            self._ends.append((at, pane))
        self.update(Content.assemble(*parts))

    def on_click(self, event: events.Click) -> None:
        """To the one under the pointer."""
        for end, pane in self._ends:
            if event.x - self.styles.padding.left < end:
                self.post_message(self.Chosen(pane))
                return


class Beside(Vertical):
    """One of the panes at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "to the form", id="beside.leave", tooltip="Go back to the form"),
    ]

    class Left(Message):
        """The person wants to go on in the form."""

    class SampleChanged(Message):
        """Another sample was typed."""

    def action_leave(self) -> None:
        """To the form."""
        self.post_message(self.Left())

    def compose(self) -> ComposeResult:
        """The bar, the sample, the panes."""
        yield PaneBar()
        with Horizontal(id="sample"):
            # What a resource gives a task is the placeholder of what is not typed.
            for key, label, value in (("tasks", "tasks", "100"), ("cpus", "CPUs", ""), ("mem", "memory", "")):
                yield Label(label, markup=False)
                yield Typed(value, placeholder="as set", id=f"sample-{key}")
            yield Tick("GPU", id="sample-gpu")
        with ContentSwitcher(initial="pane-json", id="panes"):
            yield JsonPane(id="pane-json")
            with VerticalScroll(id="pane-plan"):
                yield PlanOfSample()
            with ScrollableContainer(id="pane-script"):
                yield ScriptOfSample()

    def on_mount(self) -> None:
        """Begin with the JSON."""
        self.turn_to(Pane.JSON)

    @property
    def pane(self) -> Pane:
        """What is shown."""
        current = self.query_one(ContentSwitcher).current or "pane-json"
        return Pane(current.removeprefix("pane-"))

    def turn_to(self, pane: Pane) -> None:
        """Show this pane."""
        self.query_one(ContentSwitcher).current = f"pane-{pane}"
        self.query_one(PaneBar).show(pane)
        self.query_one("#sample").display = pane is not Pane.JSON

    def focus_pane(self) -> None:
        """The keys go to what is shown."""
        match self.pane:
            case Pane.JSON:
                self.json.on_focus()
            case Pane.PLAN:
                self.query_one("#sample-tasks").focus()
            case Pane.SCRIPT:
                self.query_one("#pane-script").focus()

    @property
    def json(self) -> JsonPane:
        """The JSON."""
        return self.query_one(JsonPane)

    @property
    def sample(self) -> SampleTyped:
        """The sample as it is typed."""
        tasks, cpus, mem = (self.query_one(f"#sample-{key}", Input).value for key in ("tasks", "cpus", "mem"))
        return SampleTyped(tasks, cpus, mem, self.query_one("#sample-gpu", Tick).value)

    def show(self, found: Preview) -> None:
        """Show plan and script."""
        self.query_one(PlanOfSample).show(found)
        self.query_one(ScriptOfSample).show(found)

    @on(Input.Changed)
    @on(Tick.Changed)
    def _sample(self, event: Message) -> None:
        event.stop()
        self.post_message(self.SampleChanged())

    @on(PaneBar.Chosen)
    def _chosen(self, event: PaneBar.Chosen) -> None:
        event.stop()
        # Who is in a pane goes along; else what is typed next would go nowhere.
        was_here = self.has_focus_within
        self.turn_to(event.pane)
        if was_here:
            self.focus_pane()
