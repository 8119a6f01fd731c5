from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tui.signs import Style
from tui.text import pad, plain, width_of
from tui.widgets.line_view import Line, Piece, changed_until
from tui.widgets.piece_line import PieceLine
from tui.widgets.slots_panel import Slot, SlotsPanel

STYLES: list[Style | None] = [None, "failed"]
PIECES = st.lists(
    st.tuples(st.text(alphabet="ab 日é\u0301"), st.integers(0, 6), st.sampled_from(STYLES)), max_size=4
)


def line_of(pieces: list[tuple[str, int, Style | None]]) -> Line:
    made: list[Piece] = [(pad(plain(text), width), style) for text, width, style in pieces]
    blank = 24 - sum(width_of(text) for text, _ in made)
    return Line((*made, (" " * blank, None)))


def cells(line: Line) -> list[tuple[str, Style | None]]:
    """What each cell shows; the second half of a wide character is empty, a mark goes with its letter."""
    found: list[tuple[str, Style | None]] = []
    for text, style in line.pieces:
        for character in text:
            if width_of(character) == 0 and found:
                found[-1] = (found[-1][0] + character, style)
            else:
                found += [(character, style), ("", style)][: width_of(character)]
    return found


@given(PIECES, PIECES)
def test_all_that_differs_is_drawn_again(
    one: list[tuple[str, int, Style | None]], other: list[tuple[str, int, Style | None]]
) -> None:
    old, new = line_of(one), line_of(other)
    differing = [n for n, (a, b) in enumerate(zip(cells(old), cells(new), strict=True)) if a != b]
    assert max(differing, default=-1) < changed_until(old, new) <= 24
    assert changed_until(old, old) == 0


def test_what_is_right_of_the_change_is_not_drawn_again() -> None:
    row = Line((("item ", None), ("0:12:04 ", None), ("12 MB", "muted")))
    later = Line((("item ", None), ("0:12:15 ", None), ("12 MB", "muted")))
    assert changed_until(row, later) == 12
    assert changed_until(row, Line(row.pieces, "cursor")) == 18


class SlotsApp(App[None]):
    CSS = "SlotsPanel { max-height: 4; }"

    def compose(self) -> ComposeResult:
        yield SlotsPanel()


async def test_slots() -> None:
    app = SlotsApp()
    async with app.run_test(size=(51, 12)) as pilot:
        panel = app.query_one(SlotsPanel)

        def shown() -> list[str]:
            return [panel.render_line(y).text.rstrip() for y in range(panel.size.height)]

        panel.show(
            [Slot("0", "/data/[/]\x1b[31m.tif", True, 3725.0, 99.6, 1234.0), Slot("1", "ready", False)]
        )
        await pilot.pause()
        assert shown()[0].split() == ["slot", "task", "elapsed", "CPU", "memory"]
        assert shown()[1].split() == ["0", "…/[/]␛[31m.tif", "1:02:05", "100", "%", "1.2", "GB"]
        assert shown()[2].split() == ["1", "ready"]
        panel.show([Slot(str(n), f"item {n}", True, 1.0) for n in range(64)])
        await pilot.pause()
        assert [line.split()[0] for line in shown()] == ["slot", "0", "1", "and"]
        assert "and 62 more slots" in shown()[3]


class HiddenApp(App[None]):
    def compose(self) -> ComposeResult:
        yield PieceLine()


async def test_what_changed_while_nobody_saw_it_is_drawn_when_it_is_seen_again() -> None:
    app = HiddenApp()
    async with app.run_test(size=(40, 4)) as pilot:

        def seen() -> str:
            return app.screen._compositor.render_strips()[0].text.strip()

        line = app.query_one(PieceLine)
        line.show([("before", None)])
        await pilot.pause()
        assert seen() == "before"
        line.display = False
        await pilot.pause()
        line.show([("after", None)])
        await pilot.pause()
        line.display = True
        await pilot.pause()
        assert seen() == "after"
