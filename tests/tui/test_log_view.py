import pytest
from textual.app import App, ComposeResult

from tui.widgets import log_view
from tui.widgets.log_view import LogView


class LogApp(App[None]):
    def compose(self) -> ComposeResult:
        yield LogView(empty="this task has said nothing")

    def on_mount(self) -> None:
        self.query_one(LogView).focus()

    @property
    def log_view(self) -> LogView:
        return self.query_one(LogView)

    def shown(self) -> list[str]:
        view = self.log_view
        return [view.render_line(y).text.rstrip(" ▐") for y in range(view.size.height)]


def numbered(first: int, end: int) -> bytes:
    return b"".join(b"line %d\n" % n for n in range(first, end))


async def test_it_follows_until_somebody_scrolls_back() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 11)) as pilot:
        assert app.shown()[0] == "this task has said nothing"
        app.log_view.append(numbered(0, 100))
        assert app.shown() == [*(f"line {n}" for n in range(90, 100)), "● following   100 lines"]
        await pilot.press("up", "pageup")
        app.log_view.append(numbered(100, 200))
        assert app.shown()[0] == "line 79"
        assert app.shown()[-1] == "‖ 111 lines below, end follows again   200 lines"
        await pilot.press("end")
        app.log_view.append(b"no end yet")
        assert app.shown()[-2:] == ["no end yet", "● following   201 lines"]
        await pilot.press("g")
        assert app.shown()[0] == "line 0"
        await pilot.press("pagedown", "down")
        assert app.shown()[0] == "line 11"
        app.log_view.reset(skipped=198_000_000)
        app.log_view.append(b"x" * 70 + b"\n")
        assert app.shown()[0] == "x" * 58 + "…"
        await pilot.press("right")
        assert app.shown()[0] == "x" * 50
        assert app.shown()[-1] == "● following   1 line, from column 21, the first 198 MB not …"


async def test_what_is_read_stays_when_the_first_lines_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.log_text.KEPT_LINES", 50)
    app = LogApp()
    async with app.run_test(size=(80, 11)) as pilot:
        app.log_view.append(numbered(0, 50))
        await pilot.press("up", "up", "up")
        assert app.shown()[0] == "line 37"
        app.log_view.append(numbered(50, 60))
        assert app.shown()[0] == "line 37"
        assert (
            app.shown()[-1] == "‖ 13 lines below, end follows again   50 lines, the first 10 lines not shown"
        )
        app.log_view.append(numbered(60, 200))
        assert app.shown()[0] == "line 150"


async def test_a_fast_log_is_painted_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    painted = []
    monkeypatch.setattr(log_view, "_PAUSE", 0.05)
    app = LogApp()
    async with app.run_test(size=(60, 11)) as pilot:
        monkeypatch.setattr(app.log_view, "repaint", lambda: painted.append(len(app.log_view._text)))
        for n in range(500):
            app.log_view.append(numbered(n, n + 1))
        assert len(painted) < 10
        await pilot.pause(0.2)
        assert painted[-1] == 500


@pytest.mark.parametrize(
    "log", [b"\0" * 5000, b"\xff\xfe" * 99, b"\x1b[31m\x1b]0;t\x07[/] [red]\n", "日本".encode() * 999]
)
async def test_hostile_logs_fill_their_lines_exactly(log: bytes) -> None:
    app = LogApp()
    async with app.run_test(size=(60, 11)) as pilot:
        app.log_view.append(log)
        await pilot.pause()
        for y in range(11):
            strip = app.log_view.render_line(y)
            assert strip.cell_length == sum(segment.cell_length for segment in strip) == 60
            assert strip.text.isprintable()
