"""A question of the engine's that only a person can answer: a host's fingerprint, a passphrase, a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from runners.transport.questions import Kind, Question
from tui.text import plain
from tui.widgets.typed import Typed

GUARD_S = 0.6
"""How long keys do nothing at first: whoever was at something else has not answered anything."""

_TITLES = {
    Kind.HOST_KEY: "A host that was never seen before",
    Kind.PASSPHRASE: "A key is locked",
    Kind.CODE: "The host asks",
}
_YES = {Kind.HOST_KEY: "Accept", Kind.PASSPHRASE: "Unlock", Kind.CODE: "Send"}


@dataclass(frozen=True, slots=True)
class Given:
    """What a person said to a question."""

    answers: Sequence[str] | None = field(repr=False)
    """One text for each prompt; None refuses. Never shown or kept: they may be secrets."""


class Ask(ModalScreen[Given | None]):
    """Asks one question; the result is None where it was put off."""

    CSS_PATH = "ask.tcss"
    # Not before the guard is down.
    AUTO_FOCUS = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "later", "later", id="ask.later", tooltip="Answer later; the question stays open"),
        Binding("left", "other(-1)", "previous", show=False, id="ask.previous"),
        Binding("right", "other(1)", "next", show=False, id="ask.next"),
    ]

    def __init__(self, question: Question, who: str) -> None:
        """*who* is the resource that asks, as a person calls it."""
        super().__init__()
        self.VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-low")]
        self.question = question
        self._who = who

    def compose(self) -> ComposeResult:
        """What is asked, a line for each thing to be typed, and buttons."""
        question = self.question
        with Vertical(id="ask") as frame:
            frame.border_title = Content(f"{plain(self._who, 40)}: {_TITLES[question.kind]}")
            frame.border_subtitle = "esc later"
            with VerticalScroll(id="text", can_focus=False):
                yield Static(Content("\n".join(plain(line) for line in question.text.splitlines())))
            for number, prompt in enumerate(question.prompts):
                yield Static(Content(plain(prompt.label, 200)), classes="label")
                yield Typed(password=not prompt.echo, id=f"answer-{number}")
            with Horizontal(id="answers"):
                yield Button("Later", id="later", compact=True)
                yield Button("Refuse", id="refuse", compact=True)
                yield Button(_YES[question.kind], id="give", compact=True)

    def on_mount(self) -> None:
        """Keys do nothing for a moment; then whoever just presses enter has accepted nothing."""
        first = "#answer-0" if self.question.prompts else "#later"
        self.set_timer(GUARD_S, self.query_one(first).focus)

    def action_later(self) -> None:
        """Put it off."""
        self.dismiss(None)

    def action_other(self, by: int) -> None:
        """To the next button, or the one before."""
        if self.focused is not None:
            (self.focus_next if by > 0 else self.focus_previous)()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input is self.query(Input).last():
            self._give()
        else:
            self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "give":
                self._give()
            case "refuse":
                self.dismiss(Given(None))
            case _:
                self.action_later()

    def _give(self) -> None:
        self.dismiss(Given([typed.value for typed in self.query(Input)]))
