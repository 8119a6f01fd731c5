"""What to do about what waits or has failed, as a paragraph."""

from __future__ import annotations

import re

from runners.explanation import Explanation, Need
from tui.signs import Style
from tui.text import plain
from tui.widgets.paragraphs import Passage

_LINES = 2
"""Of it that are shown before anything behind it."""


_NEWS = 2
"""Words in which a sentence must go beyond a reason that is there already."""

_WORD = re.compile(r"[^\W\d_]{4,}")


def remedy_of(told: Explanation | None, reason: str | None = None) -> list[Passage]:
    """What is *told* of what to do; none where nothing is.

    With a *reason*, which is shown already, the sentence stands before it if it says more.
    """
    if told is None:
        return []
    # What goes on by itself calls for no attention.
    style: Style = "muted" if told.need is Need.WAITS else "warning"
    news = set() if reason is None else _words(told.sentence) - _words(reason)
    text = f"{told.sentence} {told.remedy}" if len(news) >= _NEWS else told.remedy
    return [Passage([("fix ", style)], [plain(text)], least=_LINES)]


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
