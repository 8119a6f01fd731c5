"""What the section is that a form shows, and what is wrong with it as a whole."""

from __future__ import annotations

from runners.states import State
from tui.forms.spec import Kind
from tui.signs import sign
from tui.text import plain
from tui.widgets.form.sections import Section, has_group_row, owner
from tui.widgets.form.sheet import Sheet
from tui.widgets.line_view import Piece
from tui.widgets.piece_line import PieceLine


class Caption(PieceLine):
    """One line: `default_slurm_config  What each task asks of SLURM`, or the error of the group."""

    def tell(self, sheet: Sheet, section: Section) -> None:
        """Tell of this section."""
        draft = sheet.draft
        dotted = draft.dotted(section.path)
        between: list[Piece] = [("  ", None)] if section.path else []
        faults = [text for path, text in faults_of(sheet, section)]
        if faults:
            what: Piece = (f"{sign(State.FAILED).glyph} {plain('; '.join(faults))}", "failed")
        elif not section.path and draft.unknown:
            names = plain(", ".join(draft.unknown))
            what = (f"Not in the schema, so without effect: {names}", "warning")
        else:
            what = (plain(section.spec.about), "muted")
        # What is wrong needs the room; the bar says which section it is.
        name: Piece = (plain(dotted.rpartition(".")[2] if faults else dotted), "strong")
        self.show([name, *between, what] if section.path else [what])


def faults_of(sheet: Sheet, section: Section) -> list[tuple[tuple[str | int, ...], str]]:
    """What is wrong with no field of a section but with it as a whole, or with a group that has none."""
    found = []
    for path in sheet.draft.errors:
        if path and sheet.draft.spec(path).kind is not Kind.GROUP:
            continue
        # A group that is missing tells so in its line; that of one that is there is too short for its errors.
        own = path == section.path and has_group_row(section, sheet.draft) and not sheet.draft.present(path)
        if not own and owner(sheet.sections, path) == section and (error := sheet.error(path)):
            found.append((path, error))
    return found
