"""The JSON text of what is edited, which can be typed in as well."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widgets import Static, TextArea
from textual.widgets.text_area import Location

from runners.config.errors import ConfigError
from runners.config.json_text import NOTHING, from_json
from tui.json_lines import line_of
from tui.text import LONGEST, ellipsis, pictured, plain

_WHERE = "The text"

_AT = re.compile(r"(?P<why>.*) in line (?P<line>\d+), column (?P<column>\d+)\.", re.DOTALL)
"""What ends the sentence about a text that is no JSON."""

_MATCHED = 100_000
"""Characters of a text up to which the partner of a bracket is looked for: at each move of the cursor."""

_ODD = re.compile(r"[^\n\r\t\x20-\x7e]+")


class _Area(TextArea):
    """A text that is harmless to the terminal, whatever was pasted into it, and however long it is."""

    def get_line(self, line_index: int) -> Text:
        """Textual draws a line as it is: an escape sequence would act on the terminal."""
        line = self.document.get_line(line_index)
        cut = line if len(line) <= LONGEST else line[: LONGEST - 1] + ellipsis()
        return Text(pictured(cut), end="", no_wrap=True)

    def validate_virtual_size(self, size: Size) -> Size:
        """Textual fills every line with spaces up to the end of the longest one, and measures them."""
        return Size(min(size.width, self.gutter_width + LONGEST + 1), size.height)

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        """Textual looks at all of the text for it, a character at a time."""
        if sum(map(len, self.document.lines)) > _MATCHED:
            return None
        return super().find_matching_bracket(bracket, search_from)


class JsonPane(Vertical):
    """In step with a form: it shows what is typed there, and tells what is typed here."""

    DEFAULT_CSS = """
    JsonPane {
        height: 1fr;
        & > TextArea {
            height: 1fr; border: none; padding: 0; background: $surface;
            scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1;
        }
        & > TextArea:focus { border: none; }
        & > #json-says { height: 1; color: $text-muted; }
        & > #json-says.-wrong { color: $text-error; }
        & > #json-says.-broken { height: auto; max-height: 3; }
    }
    """

    class Edited(Message):
        """The person has typed a document."""

        def __init__(self, document: object) -> None:
            super().__init__()
            self.document = document

        def can_replace(self, message: Message) -> bool:
            """Only the last one matters."""
            return isinstance(message, JsonPane.Edited)

    class Broke(Message):
        """What the person has typed is no document."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._shown = ""
        self._broken = False
        self._broken_at: Location | None = None
        self._fault = ""

    def compose(self) -> ComposeResult:
        """The text, and a line about it."""
        area = _Area("", soft_wrap=False, show_line_numbers=True, tab_behavior="focus", compact=True)
        area.cursor_blink = False
        yield area
        yield Static("", id="json-says")

    @property
    def broken(self) -> bool:
        """Whether what is typed here is no JSON: the form holds what it was before."""
        return self._broken

    def tell_fault(self, fault: str) -> None:
        """Say what is wrong with the document, as long as the text is one; empty where nothing is."""
        self._fault = fault
        if not self._broken:
            self._say(fault, wrong=bool(fault))

    @property
    def text(self) -> str:
        """What stands here."""
        return self.query_one(TextArea).text

    def show(self, document: object) -> None:
        """Show this document, unless it is the one that is being typed here."""
        text = _text_of(document)
        if self._normal() == text:
            self._say("")
        else:
            self.show_text(text)

    def show_text(self, text: str) -> None:
        """Show this text, which may be no JSON."""
        text = _readable(text)
        self._shown = text
        area = self.query_one(TextArea)
        if area.text != text:
            at = area.cursor_location
            area.load_text(text)
            area.cursor_location = at
        self._judge()

    def go_to(self, path: Sequence[object]) -> None:
        """The cursor to what is wrong with the text, or else to a part of the document.

        Where the text is laid out in a way of its own, the cursor stays where it is.
        """
        area = self.query_one(TextArea)
        document = self.document()
        if document is NOTHING:
            if self._broken_at is not None:
                area.cursor_location = self._broken_at
        elif area.text == _text_of(document):
            row = line_of(document, path)
            line = area.document.get_line(row)
            area.cursor_location = (row, len(line) - len(line.lstrip()))

    def on_focus(self) -> None:
        """To the text."""
        self.query_one(TextArea).focus()

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if event.text_area.text == self._shown:
            return
        self._shown = event.text_area.text
        document = self._judge()
        self.post_message(self.Broke() if document is NOTHING else self.Edited(document))

    def document(self) -> object:
        """What stands here at this moment, be its message still on the way; `NOTHING` where it is no JSON."""
        return self._judge()

    def _judge(self) -> object:
        """The document, `NOTHING` where it is no JSON; a fault is told."""
        try:
            document = from_json(self.text.encode("utf-8", "surrogatepass"), _WHERE, once=True)
        except ConfigError as error:
            said = str(error).removeprefix(f"{_WHERE}: this is not valid JSON: ")
            # The place first: it must not be cut off.
            match = _AT.fullmatch(said)
            self._broken_at = (int(match["line"]) - 1, int(match["column"]) - 1) if match else None
            # Python ends some of its sentences with the place.
            why = match["why"].removesuffix(" at") if match else said
            where = f"line {match['line']}, column {match['column']}: {why}" if match else why
            self._broken = True
            self._say(f"Not valid JSON: {where}", wrong=True)
            return NOTHING
        self._broken = False
        self._say(self._fault, wrong=bool(self._fault))
        return document

    def _normal(self) -> str | None:
        """What is typed here as it would be shown; None where it is no JSON."""
        try:
            return _text_of(from_json(self.text.encode("utf-8", "surrogatepass"), _WHERE, once=True))
        except ConfigError:
            return None

    def _say(self, text: str, *, wrong: bool = False) -> None:
        says = self.query_one("#json-says", Static)
        says.set_class(wrong, "-wrong")
        # What is wrong with the document stands beside its field too; this nowhere else.
        says.set_class(self._broken, "-broken")
        says.update(Content(plain(text)))


def _text_of(document: object) -> str:
    return _readable(json.dumps(document, indent=2, ensure_ascii=False))


def _readable(text: str) -> str:
    """JSON text with escapes for what acts instead of showing, or ends a line in the eyes of Textual.

    The document is the same. Half a pair of UTF-16, which no terminal takes, is such a character too.
    """
    return _ODD.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    odd = found.group()
    if odd.isprintable():
        return odd
    return "".join(each if pictured(each) == each else json.dumps(each)[1:-1] for each in odd)
