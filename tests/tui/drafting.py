"""What was typed in a form of another dashboard and not saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runners.config.home import Home
from tui.drafts import DraftFile, Kept
from tui.subject import Subject


@contextmanager
def typing(home: Home, subject: Subject, document: object, text: str = "") -> Iterator[DraftFile]:
    """A form in which this is typed, open for the block."""
    file = DraftFile(home, subject)
    file.open()
    file.keep(subject, document, text)
    try:
        yield file
    finally:
        file.let_go()


def keep_draft(home: Home, subject: Subject, document: object, text: str = "") -> None:
    """Leave this behind."""
    with typing(home, subject, document, text):
        pass


def kept_draft(home: Home, subject: Subject) -> Kept | None:
    """What is found of it; it stays."""
    file = DraftFile(home, subject)
    file.open(hold=False)
    return file.kept
