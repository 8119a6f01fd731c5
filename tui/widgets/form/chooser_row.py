"""A field with few values, all of them beside each other: the one that holds has a dot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from runners.states import State
from tui.forms.draft import Draft
from tui.forms.spec import Kind
from tui.forms.tree import text_of
from tui.signs import Sign, sign
from tui.text import fit, plain, width_of
from tui.widgets.form.edit_line import EditLine, picked, said
from tui.widgets.form.row import Row
from tui.widgets.form.sheet import default_of
from tui.widgets.form.text_row import NONE
from tui.widgets.line_view import Piece

_BETWEEN = "  "
_LONGEST_ODD = 20
"""Cells of a value that none of the options is."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values."""

    text: str
    """Plain."""
    value: object
    given: bool = True
    """Whether it is a value; else it stands for none being given."""


class Chooser(EditLine):
    """All options where they fit, else the one that holds, between arrows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn(1)", "next value", id="choice.turn", tooltip="The next value"),
        Binding("right", "turn(1)", "next", show=False, id="choice.next", tooltip="The next value"),
        Binding("left", "turn(-1)", "previous", show=False, id="choice.previous", tooltip="The value before"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._options: Sequence[Option] = ()
        self._at: int | None = None
        self._other = ""

    def show(self, options: Sequence[Option], at: int | None, odd: str = "") -> None:
        """Show these, the one at *at* as the one that holds; None where it is *odd*, and none of them."""
        self._options, self._at, self._other = options, at, odd
        self._lay_out()

    def on_resize(self) -> None:
        """There may be room for all now."""
        self._lay_out()

    def _lay_out(self) -> None:
        dot, ring = sign(State.RUNNING), sign(State.PENDING)
        spots = [said((fit(self._other, _LONGEST_ODD) + _BETWEEN, "warning"))] if self._other else []
        spots += [
            picked(n, (_BETWEEN if n else "", None), *_option(option.text, dot if n == self._at else ring))
            for n, option in enumerate(self._options)
        ]
        wide = sum(width_of(text) for spot in spots for text, _ in spot.pieces)
        if wide + 1 > self.size.width and self._options:
            last = len(self._options) - 1
            at = self._at
            before, after = (last, 0) if at is None else ((at - 1) % (last + 1), (at + 1) % (last + 1))
            shown = self._other if at is None else self._options[at].text
            spots = [
                picked(before, ("< ", "running")),
                said((shown, "strong")),
                picked(after, (" >", "running")),
                said((f"  of {len(self._options)}", "muted")),
            ]
        self.say(spots)

    def action_turn(self, by: int) -> None:
        """The next one, or the one before."""
        if not self._options:
            return
        count = len(self._options)
        at = (0 if by > 0 else count - 1) if self._at is None else (self._at + by) % count
        self.post_message(self.Picked(at))


def _option(text: str, shown: Sign) -> tuple[Piece, Piece]:
    if shown.style == "running":
        return (f"{shown.glyph} ", "running"), (text, "strong")
    return (f"{shown.glyph} ", "muted"), (text, "muted")


class ChooserRow(Row):
    """Yes, no or neither; or one of the known words."""

    def compose(self) -> ComposeResult:
        """The options."""
        yield Chooser()

    def show_value(self) -> None:
        """The option that the draft has, or none where it has something else."""
        options = self._options()
        raw = self.draft.raw(self.path)
        given = self.draft.given(self.path)
        at = next(
            (
                n
                for n, option in enumerate(options)
                if option.given == given and (not given or _same(option.value, raw))
            ),
            None,
        )
        odd = plain(self.draft.text(self.path), 200) or NONE if at is None else ""
        self.query_one(Chooser).show(options, at, odd)

    def _options(self) -> list[Option]:
        options = []
        if not self.spec.required:
            options.append(Option(default_of(self.spec), None, given=False))
        if self.spec.kind is Kind.BOOL:
            return [*options, Option("yes", True), Option("no", False)]
        return [*options, *(Option(plain(text_of(choice)), choice) for choice in self.spec.choices)]

    @on(Chooser.Picked)
    def _picked(self, event: Chooser.Picked) -> None:
        event.stop()
        options = self._options()
        if not event.pick < len(options):
            return
        option, path = options[event.pick], self.path

        def apply(draft: Draft) -> None:
            if option.given:
                draft.put(path, option.value)
            else:
                draft.clear(path)

        self.edit(apply)


def _same(value: object, raw: object) -> bool:
    # In JSON true is not 1.
    return type(value) is type(raw) and value == raw
