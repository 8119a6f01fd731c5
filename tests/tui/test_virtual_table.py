"""What a person sees and does in the table, through Textual's pilot."""

from collections.abc import Iterable

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from tui.widgets.virtual_table import Cell, Column, Row, VirtualTable

COLUMNS = (
    Column("name", "name", None),
    Column("size", "size", 6, align="right", priority=1, value=lambda key: SIZES[key]),
    Column("note", "note", 12, priority=2, sortable=False),
)
SIZES: dict[str, int] = {}


class Watched(VirtualTable):
    """A table that remembers what it refreshed."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, id="table", empty="nothing yet\npress n")
        self.refreshed: list[Region] = []

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> "Watched":
        self.refreshed.extend(regions)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class TableApp(App[None]):
    """A table, and the messages it sent."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Watched()
        self.messages: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()

    def on_virtual_table_highlighted(self, message: VirtualTable.Highlighted) -> None:
        self.note(message, message.key)

    def on_virtual_table_activated(self, message: VirtualTable.Activated) -> None:
        self.note(message, message.key)

    def note(self, message: Message, key: str) -> None:
        self.messages.append((type(message).__name__, key))


def rows(numbers: Iterable[int], note: str = "") -> list[Row]:
    for n in numbers:
        SIZES[f"k{n}"] = n * 7 % 10
    return [Row(f"k{n}", (f"item {n}", str(SIZES[f"k{n}"]), (note, "failed"))) for n in numbers]


def shown(table: VirtualTable) -> list[str]:
    return ["".join(text for text, _ in table.line(y).pieces).rstrip() for y in range(table.size.height)]


def cursor(table: VirtualTable) -> str | None:
    return table.cursor_key


def order(table: VirtualTable) -> tuple[str | None, bool]:
    return table.sorted_by


def cursor_line(table: VirtualTable) -> int:
    return next(y for y in range(table.size.height) if table.line(y).base == "cursor")


async def filled(pilot: Pilot[None], count: int = 100) -> Watched:
    app = pilot.app
    assert isinstance(app, TableApp)
    app.table.set_rows(rows(range(count)))
    await pilot.pause()
    app.table.refreshed.clear()
    return app.table


async def test_keys_move_the_cursor() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot)
        for key, at in [
            ("down", 1),
            ("j", 2),
            ("up", 1),
            ("k", 0),
            ("up", 0),
            ("pagedown", 20),
            ("pageup", 0),
            ("G", 99),
            ("down", 99),
            ("g", 0),
            ("end", 99),
            ("home", 0),
        ]:
            await pilot.press(key)
            assert table.cursor_key == f"k{at}", key
        await pilot.press("j", "enter")
        assert app.messages[-2:] == [("Highlighted", "k1"), ("Activated", "k1")]


async def test_the_cursor_stays_on_its_row_and_line() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot)
        assert table.move_to("k50")
        line = cursor_line(table)
        table.set_rows(rows([*range(200, 230), *range(100)]))
        assert (table.cursor_key, cursor_line(table)) == ("k50", line)
        table.set_rows(rows([*range(200, 230), *range(40, 100)]))
        assert (table.cursor_key, cursor_line(table)) == ("k50", line)
        table.sort_by("size", reverse=True)
        assert table.cursor_key == "k50"
        assert "item 50" in shown(table)[cursor_line(table)]
        table.sort_by(None)
        table.set_filter(lambda row: row.key.endswith("0"))
        assert table.cursor_key == "k50"
        table.set_filter(None)
        assert (table.cursor_key, table.row_count) == ("k50", 90)
        table.set_rows(rows([*range(200, 230), *range(40, 50), *range(51, 100)]))
        assert table.cursor_key == "k51"
        assert not table.move_to("k50")
        await pilot.pause()
        assert [key for _, key in app.messages] == ["k0", "k51"]


async def test_the_last_rows_can_go() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot, 3)
        await pilot.press("end")
        table.set_rows(rows(range(2)))
        assert cursor(table) == "k1"
        table.set_rows([])
        await pilot.press("down", "enter", "pagedown", "s", "S")
        assert cursor(table) is None
        assert app.messages[-1] == ("Highlighted", "")
        assert [line.strip() for line in shown(table) if line.strip()][-2:] == ["nothing yet", "press n"]


async def test_the_last_row_asked_for_before_there_are_rows() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.press("end")
        app.table.set_rows([])
        table = await filled(pilot)
        assert table.cursor_key == "k99"
        assert "item 99" in shown(table)[cursor_line(table)]
        table.set_rows(rows(range(200)))
        assert table.cursor_key == "k99"
        table.set_rows([])
        await pilot.press("end", "home")
        assert (await filled(pilot)).cursor_key == "k0"


async def test_a_patch_repaints_only_what_differs() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot, 110)
        table.patch(rows([5], note="gone"))
        assert table.refreshed == [Region(0, 6, 50, 1)]
        await pilot.pause()
        table.refreshed.clear()
        table.patch(rows([5], note="gone"))
        table.patch(rows([50, 99], note="gone"))
        assert table.refreshed == []
        table.patch(rows([110]))
        assert table.total_count == 111
        assert table.refreshed == []


async def test_sorting_by_key_and_header() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot)
        await pilot.press("s", "s")
        assert order(table) == ("size", False)
        assert shown(table)[0].split() == ["name", "size▲", "note"]
        assert table.keys[0] == "k0"
        assert table.keys[-1] == "k97"
        await pilot.press("S")
        assert order(table) == ("size", True)
        assert table.keys[0] == "k7"
        await pilot.press("s")
        assert order(table) == (None, False)
        await pilot.click("#table", offset=(3, 0))
        assert order(table) == ("name", False)
        await pilot.click("#table", offset=(3, 0))
        assert order(table) == ("name", True)
        await pilot.click("#table", offset=(3, 0))
        assert order(table) == (None, False)
        await pilot.click("#table", offset=(55, 0))
        assert order(table) == (None, False)


async def test_a_live_sort_moves_a_changed_row() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot, 5)
        table.sort_by("size")
        assert table.keys == ["k0", "k3", "k2", "k1", "k4"]
        (changed,) = rows([2])
        SIZES["k2"] = -1
        table.patch([changed])
        assert table.keys == ["k2", "k0", "k3", "k1", "k4"]
        assert table.cursor_key == "k0"


async def test_the_mouse_in_a_border() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot)
        table.styles.border = ("solid", "red")
        await pilot.pause()
        await pilot.click("#table", offset=(5, 5))
        assert table.cursor_key == "k3"
        await pilot.click("#table", offset=(5, 0))
        await pilot.click("#table", offset=(5, 1))
        assert order(table) == ("name", False)
        await pilot.mouse_down("#table", offset=(58, 19))
        await pilot.hover("#table", offset=(58, 10))
        await pilot.mouse_up("#table", offset=(58, 10))
        assert "item 35" in shown(table)[1]


async def test_the_mouse() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot)
        await pilot.click("#table", offset=(5, 4))
        assert table.cursor_key == "k3"
        await pilot.click("#table", offset=(5, 6), times=2)
        assert app.messages[-1] == ("Activated", "k5")
        table.post_message(MouseScrollDown(table, 5, 6, 0, 1, 0, False, False, False))
        await pilot.pause()
        assert "item 3" in shown(table)[1]
        assert table.cursor_key == "k5"
        await pilot.mouse_down("#table", offset=(59, 20))
        await pilot.mouse_up("#table", offset=(59, 20))
        assert "item 99" in shown(table)[20]
        assert table.cursor_key == "k5"
        await pilot.press("down")
        assert shown(table)[cursor_line(table)].strip().startswith("item 6")


@pytest.mark.parametrize(
    "name",
    [
        "[/]",
        "[red]boom[/red]",
        "\x1b[31mred",
        "new\nline",
        "tab\there",
        "日本語" * 30,
        "\u202eevil",
        "\udc80",
    ],
)
async def test_hostile_names_are_shown_as_typed(name: str) -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        cells: tuple[Cell, ...] = (name, "1", (name, "failed"))
        app.table.set_rows([Row(name, cells), Row("other", ("other", "2", "fine"))])
        await pilot.press("down", "up", "enter")
        assert app.messages[-1] == ("Activated", name)
        for y in range(10):
            strip = app.table.render_line(y)
            assert strip.cell_length == sum(segment.cell_length for segment in strip) == 60
            assert strip.text.isprintable()
        assert "2 fine" in shown(app.table)[2]


async def test_narrow_wide_and_other_themes() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot)
        await pilot.press("end")
        await pilot.resize_terminal(24, 6)
        assert shown(table)[0].split() == ["name", "size"]
        assert "item 99" in shown(table)[cursor_line(table)]
        await pilot.resize_terminal(12, 6)
        assert shown(table)[0].split() == ["name"]
        await pilot.resize_terminal(200, 60)
        assert shown(table)[0].split() == ["name", "size", "note"]
        drawn = [list(table.render_line(1))]
        for theme in ("textual-light", "ansi-light"):
            app.theme = theme
            await pilot.pause()
            assert list(table.render_line(1)) not in drawn
            drawn.append(list(table.render_line(1)))
            y = cursor_line(table)
            assert next(iter(table.render_line(y))).style != next(iter(table.render_line(y - 1))).style


async def test_the_cursor_is_seen_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = TableApp()
    async with app.run_test(size=(60, 21)) as pilot:
        table = await filled(pilot)
        (segment,) = table.render_line(cursor_line(table))
        assert segment.style is not None
        assert segment.style.reverse
