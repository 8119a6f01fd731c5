"""A form made from a schema: one section of a draft at a time, a line a field, errors beside it."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from tui.forms.draft import Draft
from tui.forms.spec import Path
from tui.widgets.form.caption import Caption
from tui.widgets.form.edit import Edit
from tui.widgets.form.held_keys import HeldKeys
from tui.widgets.form.lines import Lines
from tui.widgets.form.row import Row
from tui.widgets.form.section_bar import SectionBar, Tab
from tui.widgets.form.sections import Section, owner, places_of, sections_of
from tui.widgets.form.sheet import Sheet, is_empty

AT_ONCE: Final = 30
"""Lines that are made before the screen is drawn; those of a longer list come after, as many at a time."""


class Form(Vertical):
    """Edits a draft. It validates nothing itself and saves nothing: the draft and the page do."""

    DEFAULT_CSS = """
    Form { width: 1fr; height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f6,ctrl+pagedown",
            "section(1)",
            "section",
            id="form.section_next",
            key_display="F6",
            tooltip="The next section",
        ),
        Binding(
            "shift+f6,f18,ctrl+pageup",
            "section(-1)",
            "previous section",
            show=False,
            id="form.section_previous",
            tooltip="The section before; so does ctrl+pageup",
        ),
        Binding("ctrl+z", "undo", "undo", id="form.undo", tooltip="Take back the last change"),
        Binding(
            "ctrl+y,ctrl+shift+z",
            "redo",
            "redo",
            show=False,
            id="form.redo",
            tooltip="Do again what was taken back",
        ),
        Binding(
            "ctrl+n",
            "none",
            "none",
            show=False,
            id="form.none",
            tooltip="Say that there is none (null), or say nothing",
        ),
        Binding(
            "ctrl+o",
            "reset",
            "as saved",
            show=False,
            id="form.reset",
            tooltip="Put this field back to what is saved",
        ),
        Binding("down", "field(1)", "next field", show=False, id="form.down", tooltip="The next field"),
        Binding("up", "field(-1)", "field before", show=False, id="form.up", tooltip="The field before"),
    ]

    class Changed(Message):
        """The draft is another one. Of several in a row only the last need be looked at."""

        def __init__(self, form: Form) -> None:
            super().__init__()
            self.form = form

        @property
        def control(self) -> Form:
            """The form."""
            return self.form

        def can_replace(self, message: Message) -> bool:
            """Whatever was changed before, it is the draft as it stands that counts."""
            return isinstance(message, Form.Changed) and message.form is self.form

    class FieldFocused(Message):
        """A person is at another field."""

        def __init__(self, form: Form, path: Path) -> None:
            super().__init__()
            self.form = form
            self.path = path

        @property
        def control(self) -> Form:
            """The form."""
            return self.form

        def can_replace(self, message: Message) -> bool:
            """Where one has been in between does not matter."""
            return isinstance(message, Form.FieldFocused) and message.form is self.form

    def __init__(self, draft: Draft | None = None, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._sheet: Sheet | None = Sheet(draft) if draft is not None else None
        self._section: Path = ()
        self._path: Path = ()
        self._wanted: Path | None = None
        """The field that is to have the focus as soon as it is there."""
        self._shown: Path | None = None
        """The section whose lines are mounted, and how many of them may be by now."""
        self._most = AT_ONCE
        self._left_at: dict[Path, Path] = {}
        """The field that was left last, of each section."""
        self._arranging = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """Sections, what the one that is shown is for, and its lines."""
        yield SectionBar()
        yield Caption()
        yield Lines()
        yield HeldKeys()

    async def on_mount(self) -> None:
        """Show the draft, if there is one yet."""
        await self._begin()

    # What a page asks for

    @property
    def draft(self) -> Draft | None:
        """What is edited."""
        return self._sheet.draft if self._sheet is not None else None

    @property
    def sheet(self) -> Sheet | None:
        """The draft, and which of its errors are told by now."""
        return self._sheet

    @property
    def path(self) -> Path:
        """The field that has the focus, or had it last."""
        return self._path

    @property
    def sections(self) -> list[Section]:
        """The sections that there are, in the order of the bar."""
        return list(self._sheet.sections) if self._sheet is not None else []

    def show(self, draft: Draft) -> None:
        """Edit another draft, from its first section on; with the focus, unless something else has it."""
        self._sheet = Sheet(draft)
        self._section, self._path = (), ()
        self._left_at.clear()
        self._wanted = () if self.has_focus_within else None
        self.call_next(self._begin)

    async def _begin(self) -> None:
        # The focus comes a moment after it is asked for: until then nothing has it.
        going = self._wanted is not None
        await self._arrange()
        # It may be on its way out by now, with its parts gone before it.
        if not going and self._is_there and self.screen.focused is None:
            self._focus(self.query_one(Lines), ())

    @property
    def _is_there(self) -> bool:
        return self.is_attached and bool(self.query(Lines))

    def refresh_from_draft(self) -> None:
        """Catch up with a draft that was changed elsewhere. Focus and cursor stay where they can."""
        self.call_next(self._arrange)

    def go_to(self, path: Path) -> None:
        """Show a field, scrolled into view, with the focus in it; or what is nearest to it."""
        if self._sheet is None:
            return
        self._section = owner(sections_of(self._sheet.draft), path).path
        self._wanted = path
        self.call_next(self._arrange)

    def focus_field(self) -> None:
        """Go on in the field in which one was last."""
        self.go_to(self._path or self._section)

    def touch_all(self) -> None:
        """Tell all errors from now on, also of what nobody was at."""
        if self._sheet is not None:
            self._sheet.asked = True
            self.call_next(self._arrange)

    # What is done in it

    async def action_section(self, by: int) -> None:
        """The next section, or the one before."""
        sections = self.sections
        if sections:
            at = [section.path for section in sections].index(self._section)
            await self._open(sections[(at + by) % len(sections)].path)

    @on(SectionBar.Picked)
    async def _picked(self, event: SectionBar.Picked) -> None:
        event.stop()
        # There may be fewer by now: the kind of resource was changed.
        if event.at < len(self.sections):
            await self._open(self.sections[event.at].path)

    async def _open(self, section: Path) -> None:
        if section != self._section:
            self._left_at[self._section] = self._path
            self._section = section
            self._wanted = self._left_at.get(section, section)
            await self._arrange()

    def action_field(self, by: int) -> None:
        """The next line, or the one before; from the first and the last there is nowhere to go."""
        rows = self.query_one(Lines).rows
        at = next((n for n, row in enumerate(rows) if row.has_focus_within), None)
        if at is None or not 0 <= at + by < len(rows):
            return
        column = next((n for n, editor in enumerate(rows[at].editors) if editor.has_focus), 0)
        editors = rows[at + by].editors
        # Below a key is the next key; where there is one editor only, it is that.
        editors[min(column, len(editors) - 1)].focus()

    async def action_undo(self) -> None:
        """Take back the last change, and show where it was."""
        if self._sheet is not None:
            await self._gone_to(self._sheet.draft.undo())

    async def action_redo(self) -> None:
        """Do again what was taken back, and show where."""
        if self._sheet is not None:
            await self._gone_to(self._sheet.draft.redo())

    async def _gone_to(self, path: Path | None) -> None:
        if path is None or self._sheet is None:
            return
        if path:
            self._section = owner(sections_of(self._sheet.draft), path).path
            self._wanted = path
        await self._changed()

    async def action_reset(self) -> None:
        """Put the field in which one is back to what is saved."""
        if self._sheet is not None and self._path and self._sheet.draft.changed(self._path):
            self._sheet.draft.reset(self._path)
            await self._changed()

    async def action_none(self) -> None:
        """Say that there is none, or that a text is empty; said again, nothing is said."""
        if self._sheet is None or not self._may_be_none():
            return
        draft, path = self._sheet.draft, self._path
        if draft.is_none(path) or is_empty(draft, path):
            draft.clear(path)
        elif draft.spec(path).nullable:
            draft.nothing(path)
        else:
            draft.put(path, "")
        self._sheet.touched.add(path)
        await self._changed()

    def _may_be_none(self) -> bool:
        if self._sheet is None or not self._path:
            return False
        try:
            spec = self._sheet.draft.spec(self._path)
            return spec.nullable or spec.blank
        except KeyError:
            # It is gone: the document was replaced.
            return False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Not every field can be none."""
        return self._may_be_none() if action == "none" else True

    async def on_edit(self, event: Edit) -> None:
        """A line wants the draft changed."""
        event.stop()
        if self._sheet is None:
            return
        try:
            self._wanted = event.apply(self._sheet.draft)
        except LookupError:
            # What it was meant for is gone: of two clicks in a row the first has removed it.
            return
        self._sheet.touched.add(event.path)
        if self._wanted and isinstance(self._wanted[-1], int):
            # Another line stands there now, in which nobody was yet.
            self._sheet.touched.discard(self._wanted)
        await self._changed()

    def drop_unused(self, now_at: Path | None = None) -> None:
        """Take out a line that was added and left as it was; one is *now_at* this field, if that is told."""
        if self._sheet is None or (unused := self._sheet.draft.unused) is None:
            return
        if now_at is None:
            self._wanted = unused[:-1] if self.has_focus_within else None
        else:
            self._wanted = _moved_up(now_at, unused)
        self._sheet.draft.drop_unused()
        self.call_next(self._changed)

    async def _changed(self) -> None:
        await self._arrange()
        self.post_message(self.Changed(self))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Tell where one is; a line that was added and left as it was goes."""
        row = next((node for node in event.widget.ancestors if isinstance(node, Row)), None)
        if row is not None and row.path != self._path:
            self._path = row.path
            draft = self.draft
            if draft is not None:
                # What is typed from here on is another step of undo.
                draft.settle()
            self.refresh_bindings()
            self.post_message(self.FieldFocused(self, row.path))
            if draft is not None and draft.unused not in (None, row.path):
                self.drop_unused(row.path)

    # How it is shown

    async def _arrange(self) -> None:
        """Bring all of it up to date with the draft; the only place where lines come and go."""
        # What a key does is done in the application's task, what a page asks for in that of the form.
        async with self._arranging:
            await self._arrange_now()

    async def _arrange_now(self) -> None:
        sheet = self._sheet
        if sheet is None or not self._is_there:
            return
        draft = sheet.draft
        sheet.sections = sections_of(draft)
        section = owner(sheet.sections, self._section)
        self._section = section.path
        lines = self.query_one(Lines)
        was_in = lines.busy
        with self.app.batch_update():
            more = await self._show_lines(lines, sheet, section)
            self._tell_sections(sheet, section)
            self.query_one(Caption).tell(sheet, section)
            if self._wanted is None and was_in and not lines.busy:
                self._wanted = self._path
            if self._wanted is not None:
                self._focus(lines, self._wanted)
                self._wanted = None
        if more:
            self.call_after_refresh(self._arrange)

    async def _show_lines(self, lines: Lines, sheet: Sheet, section: Section) -> bool:
        """Have the lines of a section, or as many of a long list as can be made at once. Are there more?"""
        places = places_of(section, sheet.draft)
        if section.path != self._shown:
            self._shown, self._most = section.path, AT_ONCE
        if self._wanted is not None:
            last = max((n for n, place in enumerate(places) if place.path == self._wanted), default=0)
            self._most = max(self._most, last + 1)
        shown = places[: self._most]
        await lines.show(sheet, shown, self.query_one(HeldKeys).hold)
        if len(shown) == len(places):
            return False
        self._most += AT_ONCE
        return True

    def _tell_sections(self, sheet: Sheet, shown: Section) -> None:
        errors = sheet.errors_by_section()
        tabs = []
        for each in sheet.sections:
            told, untold = errors.get(each.path, (0, 0))
            tabs.append(Tab(each.title, told, untold > 0, sheet.changed_in(each)))
        self.query_one(SectionBar).show(tabs, sheet.sections.index(shown))

    def _focus(self, lines: Lines, path: Path) -> None:
        row = lines.row(path) or (lines.rows[0] if lines.rows else None)
        if row is None or not row.editors:
            return
        editors: list[Widget] = row.editors
        if not any(editor.has_focus for editor in editors):
            # At once: what was typed meanwhile is to go there.
            self.screen.set_focus(editors[0], scroll_visible=False)
        self.query_one(HeldKeys).hand_on()
        # Only then is it known where it is.
        self.call_after_refresh(row.scroll_visible, animate=False)


def _moved_up(path: Path, gone: Path) -> Path:
    """Where a field is once an item before it in the same list is gone."""
    n = len(gone) - 1
    at, index = path[n] if path[:n] == gone[:n] and len(path) > n else None, gone[n]
    if isinstance(at, int) and isinstance(index, int) and at > index:
        return (*path[:n], at - 1, *path[n + 1 :])
    return path
