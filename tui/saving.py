"""Saving what was edited: the difference first, then the file; and what to do with edits made elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from runners.config.documents import resource_kind
from runners.config.errors import ConfigError
from runners.config.home import Home
from runners.config.json_text import NOTHING, difference, text_difference, to_json
from runners.config.places import profile_names
from runners.config.wholefile import backup_beside
from tui.forms.merging import merged
from tui.live_words import live_words
from tui.screens.choose import Choice
from tui.screens.difference import Difference
from tui.subject import Subject, opened_again, save_subject
from tui.widgets.beside import Pane

if TYPE_CHECKING:
    from tui.screens.edit import EditPage

_SAVE = Choice("save", "Save", "Write it; the version before stays beside it as a backup")
_JOINED = Choice("both", "Join both", "Take what was changed elsewhere into the form; nothing is written yet")
_MINE = Choice("mine", "Save mine", "Write what stands in the form over what was changed elsewhere")
_THEIRS = Choice("theirs", "Take theirs", "Go on with what is in the file; undo brings back what you typed")

_NEEDS_PROFILE = "It needs a profile now, for who you are there: p in the list of resources makes one."


def save(page: EditPage) -> None:
    """Show what saving would change, and save once the person agrees; what keeps it from that is said."""
    if page.dashboard.refuses_changes() or _is_writing(page):
        return
    if not has_faults(page, "Nothing was saved"):
        _begin_to_compare(page, saving=True)


def compare(page: EditPage) -> None:
    """Show what differs from the file as it is now."""
    if _is_writing(page):
        return
    page.catch_up()
    if page.json.half_typed:
        # Taking theirs from there would lose it, and it can't be compared as a document.
        _refuse_text(page, "No difference is shown")
        return
    _begin_to_compare(page, saving=False)


def has_faults(page: EditPage, refused: str) -> bool:
    """Whether what is typed can't be used; then the person is led to why, and told what is *refused*."""
    page.catch_up()
    # A line in which nobody has typed anything is no fault.
    page.form.drop_unused()
    if page.beside.json.broken:
        _refuse_text(page, refused)
    elif errors := page.draft.errors:
        page.go_to_error()
        faults = "1 field has an error" if len(errors) == 1 else f"{len(errors)} fields have errors"
        page.dashboard.tell(f"{refused}: {faults}.", wrong=True)
    return not page.sound


def _is_writing(page: EditPage) -> bool:
    if page.writing:
        page.dashboard.tell("It is just being saved; try again in a moment.")
    return page.writing


def _refuse_text(page: EditPage, refused: str) -> None:
    page.dashboard.tell(f"{refused}: the text is no JSON, see the line below it.", wrong=True)
    page.show_pane(Pane.JSON)


def _begin_to_compare(page: EditPage, *, saving: bool) -> None:
    page.begin(partial(_compare, page, saving=saving), group="save", exclusive=True)


async def _compare(page: EditPage, *, saving: bool) -> None:
    subject, home = page.subject, page.dashboard.home
    document = page.draft.document
    # Raises what keeps it from being read: the page says so.
    now = None if subject.new else await asyncio.to_thread(opened_again, home, subject)
    elsewhere = not subject.new and (now is None or now.fingerprint != subject.fingerprint)
    theirs = now if now is not None and now.fingerprint is not None else None
    if theirs is not None and theirs.text:
        lines = text_difference(theirs.text, to_json(document).decode(), subject.words)
    else:
        lines = difference(NOTHING if theirs is None else theirs.document, document, subject.words)
    if elsewhere:
        # Where only the file is gone, and not what it stood in, it is written into that.
        base = replace(subject, read=None if now is None else now.read)
        _ask_about_theirs(page, document, theirs, base, lines)
    elif not lines and not subject.new:
        page.dashboard.tell("There is nothing to save: the form says what the file says.")
    elif saving:
        _ask_to_save(page, document, lines)
    else:
        page.app.push_screen(
            Difference(f"What differs from the file of {subject.words}", lines, [], back="Back")
        )


def _ask_to_save(page: EditPage, document: object, lines: list[str]) -> None:
    subject = page.subject

    def answered(choice: str | None) -> None:
        if choice == "save":
            _begin_to_write(page, subject, document)

    title = f"Add {subject.words}?" if subject.new else f"Save {subject.words}?"
    page.app.push_screen(
        Difference(title, lines, [_SAVE], more=_live_words(page), back="Go on editing"), answered
    )


def _live_words(page: EditPage) -> str:
    """That work is under way that is reached by what is edited; empty where there is none."""
    return live_words(page.dashboard.picture.live_on(page.subject.resource, page.subject.profile))


def _ask_about_theirs(
    page: EditPage, document: object, theirs: Subject | None, base: Subject, lines: list[str]
) -> None:
    """What is to be done with *theirs*, None where the file is gone; saving *document* replaces *base*."""
    subject = page.subject
    choices = [] if page.dashboard.read_only else [_MINE]
    joined: object = NOTHING
    if theirs is None:
        more = "The file was removed elsewhere since it was opened. Saving yours makes it anew."
    else:
        choices.append(_THEIRS)
        more = (
            "The file was changed elsewhere since it was opened. Lines with - are in the file now, "
            "lines with + are yours."
        )
    if theirs is not None and theirs.joinable:
        choices.insert(0, _JOINED)
        joined, clashes = merged(subject.document, document, theirs.document)
        if clashes:
            more += f" Both have changed {', '.join(clashes)}: joined, yours stays."

    def answered(choice: str | None) -> None:
        if choice == "mine":
            _begin_to_write(page, base, document)
        elif choice == "both" and theirs is not None:
            page.go_on(theirs, joined)
        elif choice == "theirs" and theirs is not None:
            page.go_on(theirs, theirs.document)

    title = f"{subject.words} was changed elsewhere"
    page.app.push_screen(Difference(title, lines, choices, more=more, back="Go on editing"), answered)


def _begin_to_write(page: EditPage, base: Subject, document: object) -> None:
    if page.dashboard.refuses_changes():
        return
    # Never called back: a thread can't be, and then the page would not know what is in the file.
    page.writing = True
    page.begin(partial(_write, page, base, document), group="write")


async def _write(page: EditPage, base: Subject, document: object) -> None:
    """Write *document*, whose difference was shown; *base* is the file that it replaces."""
    home = page.dashboard.home
    try:
        # Raises what keeps it from being written: the page says so, and everything typed is still there.
        subject = await asyncio.to_thread(save_subject, home, base, document)
    finally:
        page.writing = False
    page.saved(subject)
    assert subject.read is not None
    kept = "" if base.new else f"; the version before it is {backup_beside(subject.read.path).name}"
    next_step = f" {_NEEDS_PROFILE}" if base.new and await asyncio.to_thread(_is_bare, home, subject) else ""
    page.dashboard.tell(f"Saved {subject.words}{kept}.{next_step}")


def _is_bare(home: Home, subject: Subject) -> bool:
    """Whether it is a cluster without a profile. What can't be read is none: it is saved all the same."""
    if subject.profile is not None:
        return False
    with suppress(ConfigError):
        kind = resource_kind(home.resources, subject.resource)
        return kind not in (None, "local") and not profile_names(home.resources, subject.resource)
    return False
