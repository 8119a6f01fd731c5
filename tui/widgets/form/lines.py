"""The lines of one section: made when it is shown, and kept as far as they stay what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from textual.containers import Vertical
from textual.widget import Widget

from tui.forms.spec import Kind, Path
from tui.widgets.form.chooser_row import ChooserRow
from tui.widgets.form.entry_row import EntryRow
from tui.widgets.form.group_row import GroupRow
from tui.widgets.form.head_row import HeadRow
from tui.widgets.form.item_row import ItemRow
from tui.widgets.form.layouts import LINES, LinesLayout
from tui.widgets.form.row import Row
from tui.widgets.form.sections import Part, Place
from tui.widgets.form.sheet import Sheet
from tui.widgets.form.stranger_row import StrangerRow
from tui.widgets.form.text_row import TextRow

_SPECIAL: Final[Mapping[Part, type[Row]]] = {
    Part.GROUP: GroupRow,
    Part.HEAD: HeadRow,
    Part.ITEM: ItemRow,
    Part.ENTRY: EntryRow,
}
_CHOSEN = (Kind.BOOL, Kind.CHOICE)


def row_type(sheet: Sheet, place: Place) -> type[Row]:
    """Which kind of widget a line of a section is."""
    if place.part is not Part.FIELD:
        return _SPECIAL[place.part]
    kind = sheet.draft.spec(place.path).kind
    return StrangerRow if kind.strange else ChooserRow if kind in _CHOSEN else TextRow


class Lines(Vertical):
    """Scrolls; it has no keys of its own, for the arrow keys go from field to field."""

    DEFAULT_CSS = """
    Lines {
        height: 1fr;
        padding: 0 1;
        overflow-y: auto;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
    }
    """

    @property
    def layout(self) -> LinesLayout:
        """How the lines are arranged."""
        return LINES

    @property
    def busy(self) -> bool:
        """Whether one of the lines has the focus."""
        return any(row.has_focus_within for row in self.rows)

    @property
    def rows(self) -> Sequence[Row]:
        """The lines, from the top."""
        return cast("Sequence[Row]", self.children)

    def row(self, path: Path) -> Row | None:
        """The line of a field, or of what is around it."""
        found = {row.path: row for row in self.rows}
        return next((found[path[:end]] for end in range(len(path), -1, -1) if path[:end] in found), None)

    async def show(self, sheet: Sheet, places: Sequence[Place], leaving: Callable[[], None]) -> None:
        """Show these lines and no others, up to date.

        Calls *leaving* before a line goes that has the focus.
        """
        wanted = set(places)
        kept: dict[Place, Row] = {}
        gone: list[Row] = []
        for row in self.rows:
            # The same key may be another kind of field now: the kind of resource was changed.
            stays = row.place in wanted and type(row) is row_type(sheet, row.place)
            if stays and row.sheet is sheet:
                kept[row.place] = row
                row.bring_up_to_date()
            else:
                gone.append(row)
        if gone:
            if any(row.has_focus_within for row in gone):
                leaving()
            await self.remove_children(gone)
        await self._mount_missing(sheet, places, kept)

    async def _mount_missing(self, sheet: Sheet, places: Sequence[Place], kept: dict[Place, Row]) -> None:
        """Mount what is not there, each run of neighbours at once."""
        at = 0
        missing: list[Widget] = []
        for place in [*places, None]:
            if place is not None and place not in kept:
                missing.append(row_type(sheet, place)(sheet, place))
                continue
            if missing:
                await self.mount_all(missing, before=at if at < len(self.children) else None)
                at += len(missing)
                missing = []
            at += 1
