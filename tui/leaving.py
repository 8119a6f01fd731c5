"""Leaving forms: nothing that was typed is lost unasked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from textual.app import App

from tui.screens.confirm import Confirm


@runtime_checkable
class Edits(Protocol):
    """A screen that may hold something typed that is not saved."""

    def before_leaving(self) -> Confirm | None:
        """What the person is to be asked before it is left; None where nothing would be lost."""

    async def give_up(self) -> None:
        """It is left: what was typed is not wanted any more."""


def leave(app: App[Any], forms: Sequence[Edits], then: Callable[[], object]) -> None:
    """Do *then*, which leaves these forms, once the person has agreed to that, form by form from the last.

    What is typed is given up only when they have agreed about all: else it is kept as before.
    """
    to_ask = list(forms)

    def ask_next() -> None:
        while to_ask:
            if (question := to_ask.pop().before_leaving()) is not None:
                app.push_screen(question, answered)
                return
        # Not a worker of the form, which would end together with it. Who presses twice leaves once.
        work: Callable[[], object] = leave_now
        app.run_worker(work, group="leave", exclusive=True, exit_on_error=False)

    def answered(yes: bool | None) -> None:
        if yes:
            ask_next()

    async def leave_now() -> None:
        for form in forms:
            await form.give_up()
        then()

    ask_next()
