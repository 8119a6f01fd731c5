"""One line of a form: the label, what edits the value, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widget import Widget

from tui.forms.draft import Draft
from tui.forms.spec import Path
from tui.signs import Style, changed_mark
from tui.text import fit, pad, plain, width_of
from tui.widgets.form.edit import Edit
from tui.widgets.form.layouts import GAP, Columns, FieldLayout, columns
from tui.widgets.form.sections import Place
from tui.widgets.form.sheet import Sheet
from tui.widgets.line_view import Line, LineView, Piece


class Row(LineView):
    """Draws the label and the third column itself; editors are its only children.

    A subclass makes them, and brings them up to date in `show_value`.
    """

    DEFAULT_CSS = """
    Row { height: 1; width: 1fr; overflow: hidden hidden; }
    """

    def __init__(self, sheet: Sheet, place: Place) -> None:
        super().__init__()
        self.sheet = sheet
        self.place = place
        self.spec = sheet.draft.spec(place.path)
        self.long = self.has_long_value
        """Whether its value may need all the room: for as long as it is there."""
        self._arranged = FieldLayout(self.columns, long=self.long)
        self._columns = Columns(0, 0, 0)
        self._third: Piece = ("", None)
        self._mark = False
        self._wrong = False

    @property
    def layout(self) -> FieldLayout:
        """How label, editor and third column are arranged."""
        return self._arranged

    def columns(self, width: int) -> Columns:
        """The columns of the line where it has *width* cells."""
        return columns(width, long=self.long)

    @property
    def has_long_value(self) -> bool:
        """Whether what it edits is long: a text, a path."""
        return False

    @property
    def tight(self) -> bool:
        """Whether the third column has room for no more than a sign."""
        return self.columns(self.size.width).third == 1

    @property
    def path(self) -> Path:
        """Which field it is."""
        return self.place.path

    @property
    def draft(self) -> Draft:
        """What is edited."""
        return self.sheet.draft

    def edit(self, apply: Callable[[Draft], Path | None]) -> None:
        """Have the draft changed."""
        self.post_message(Edit(self.path, apply))

    @property
    def editors(self) -> list[Widget]:
        """What can have the focus."""
        return list(self.children)

    def on_mount(self) -> None:
        """Say what there is to say."""
        self.bring_up_to_date()

    def bring_up_to_date(self) -> None:
        """Show what the draft says now; what is as it was costs nothing."""
        self.spec = self.draft.spec(self.path)
        self._third = self.sheet.third(self.path)
        self._wrong = self._third[1] == "failed"
        self._mark = self.draft.changed(self.path)
        self.show_value()
        self._settle()

    def on_resize(self) -> None:
        """It was arranged anew."""
        self._columns = self.columns(self.size.width)

    def _settle(self) -> None:
        """Draw anew, and arrange anew what is not where it belongs now."""
        wanted = self.columns(self.size.width)
        if wanted != self._columns and self.size.width:
            self._columns = wanted
            # It is where what asks for it is that Textual arranges anew.
            self.editors[-1].refresh(layout=True)
        self.repaint()

    def show_value(self) -> None:
        """Bring the editors up to date."""
        raise NotImplementedError

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The label tells where one is."""
        self._settle()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """The label tells where one is no longer."""
        self._settle()

    def label(self, width: int) -> list[Piece]:
        """What stands before the editor, in at most so many cells."""
        star = "*" if self.spec.required else ""
        name = fit(plain(self.spec.name), width - len(star))
        return [(name, self.label_style), (star, "warning")]

    @property
    def label_style(self) -> Style | None:
        """How the label is drawn: strong where the focus is."""
        if self._wrong:
            return "failed"
        return "strong" if self.has_focus_within else "muted"

    def line(self, y: int) -> Line:
        """Label and third column; what is between is drawn over by the editor."""
        label, editor, room = self.columns(self.size.width)
        mark = f"{changed_mark() if self._mark else ' '} "
        pieces: list[Piece] = [(mark, "warning")]
        left = label - len(mark) - GAP
        for text, style in self.label(left):
            pieces.append((text, style))
            left -= width_of(text)
        pieces.append((" " * (left + GAP + editor + GAP), None))
        text, style = self._third
        if self.tight:
            # What is wrong is told below the form; the rest stands in the editor, or in the label.
            text = text[:1] if self._wrong else ""
        return Line((*(piece for piece in pieces if piece[0]), (pad(text, room), style)))
