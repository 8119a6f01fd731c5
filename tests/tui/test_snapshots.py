"""A handful of screens as they are drawn, colours and all: `pytest --snapshot-update` keeps what is meant."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest
from textual.widgets import Input, OptionList

from runners.config.places import resource_path
from runners.findings import Finding
from runners.store.writer import Writer
from tests.tui import check_story, resource_story, slurm_story, stores
from tests.tui.stage import Logs, Stage, at, make_home, sees, until
from tui.dashboard import Dashboard
from tui.messages import OpenCheck, OpenField
from tui.screens.edit import EditPage
from tui.screens.resources import ResourcesPage
from tui.widgets.plan_view import PlanView
from tui.widgets.sample_view import ScriptOfSample
from tui.widgets.tasks_pane import TasksPane
from tui.widgets.virtual_table import VirtualTable

RUN = "k3f9a2bc"

SMALL, LARGE = (80, 24), (160, 45)


class Compare(Protocol):
    """The plugin's fixture."""

    def __call__(
        self,
        app: Dashboard,
        *,
        terminal_size: tuple[int, int],
        run_before: Callable[[Stage], Awaitable[None]],
    ) -> bool: ...


@pytest.fixture
def drawn(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Whether a dashboard looks as it did once *awaited* is seen, after some *keys* or else *before*."""
    monkeypatch.setattr("tui.widgets.top_line.CORES", 2)

    # What is awaited is the command as it ran: it comes last, in place of its template.
    def compare(
        *keys: str,
        size: tuple[int, int],
        run: str | None = None,
        theme: str = "runyard-dark",
        before: Callable[[Stage], Awaitable[None]] | None = None,
        awaited: str = "",
        story: Callable[[Writer], None] = stores.typical,
    ) -> bool:
        home = make_home(tmp_path / "home", story)
        dashboard = Dashboard(
            home, run=run, clock=lambda: stores.T0, client=Logs(home, {}), alive=lambda: True
        )
        dashboard.theme = theme

        async def prepare(stage: Stage) -> None:
            await until(stage, lambda: dashboard.picture.read_at > 0)
            if run is not None:
                await until(
                    stage, lambda: dashboard.picture.run is not None and dashboard.picture.run.complete
                )
                # With the second picture comes what time left is reckoned from.
                await until(stage, lambda: run in dashboard.picture.loads)
                table = stage.app.screen.query_one(TasksPane).table
                counts = dashboard.picture.runs[run].counts
                await until(stage, lambda: table.total_count == counts.total)
            await stage.pause()
            await stage.press(*keys)
            if before is not None:
                await before(stage)
            if awaited:
                await sees(stage, awaited)
            await stage.pause()

        return snap_compare(dashboard, terminal_size=size, run_before=prepare)

    return compare


def test_runs(drawn: Callable[..., bool]) -> None:
    assert drawn("down", size=SMALL)


def test_runs_light(drawn: Callable[..., bool]) -> None:
    assert drawn("down", size=LARGE, theme="runyard-light")


def test_run(drawn: Callable[..., bool]) -> None:
    assert drawn("f", "down", size=SMALL, run=RUN, awaited="--channel=nuclei /srv")


def test_run_with_room(drawn: Callable[..., bool]) -> None:
    async def look(stage: Stage) -> None:
        stage.app.screen.query_one(TasksPane).table.move_to("812")

    assert drawn(size=LARGE, run=RUN, before=look, awaited="--channel=nuclei /srv")


def test_batches(drawn: Callable[..., bool]) -> None:
    assert drawn("2", size=SMALL, run=RUN)


def test_clusters(drawn: Callable[..., bool]) -> None:
    assert drawn("down", "down", size=SMALL, story=slurm_story.clusters)


def test_batches_of_a_cluster(drawn: Callable[..., bool]) -> None:
    assert drawn(
        *("2", *["down"] * 7),
        size=LARGE,
        run=slurm_story.RUN,
        story=slurm_story.clusters,
        awaited="○ batch 7 pending",
    )


def test_command_log(drawn: Callable[..., bool]) -> None:
    assert drawn("L", "end", *["up"] * 4, size=SMALL, story=slurm_story.clusters, awaited="✗ exit 1  sbatch")


def check(
    *findings: Finding, keys: Sequence[str] = (), goes_on: bool = False, no_engine: str = ""
) -> Callable[[Stage], Awaitable[None]]:
    """Check a cluster, and press *keys* when all was found."""

    async def look(stage: Stage) -> None:
        assert isinstance(stage.app, Dashboard) and isinstance(stage.app.client, Logs)
        client = stage.app.client
        check_story.add_alps(stage.app.home)
        client.findings, client.checking, client.no_engine = list(findings), goes_on, no_engine
        stage.app.post_message(OpenCheck("alps"))
        await sees(stage, "not finished" if no_engine else f"Check  {len(findings)}  ")
        await sees(stage, "not finished" if no_engine else "running…" if goes_on else "done at")
        await stage.press(*keys)

    return look


def test_check_that_waits(drawn: Callable[..., bool]) -> None:
    assert drawn(size=SMALL, before=check(goes_on=True), awaited="asking the cluster…")


def test_check_that_goes_on(drawn: Callable[..., bool]) -> None:
    assert drawn(size=SMALL, before=check(*check_story.WAY, goes_on=True), awaited="✓ 7")


def test_check(drawn: Callable[..., bool]) -> None:
    assert drawn(size=SMALL, before=check(*check_story.ALL), awaited="main, gpu, short")


def test_check_with_room(drawn: Callable[..., bool]) -> None:
    findings = (*check_story.ALL, check_story.SUDO, check_story.HOSTILE)
    assert drawn(size=LARGE, before=check(*findings), awaited="PartitionName=short")


def test_check_of_what_has_changed_since(drawn: Callable[..., bool]) -> None:
    async def look(stage: Stage) -> None:
        await check(*check_story.ALL)(stage)
        assert isinstance(stage.app, Dashboard)
        path = resource_path(stage.app.home.resources, "alps")
        path.write_text(path.read_text().replace('"main"', '"mian"'))

    assert drawn(size=SMALL, before=look, awaited="changed since: r checks again")


def test_check_where_all_is_fine(drawn: Callable[..., bool]) -> None:
    assert drawn(size=SMALL, before=check(*check_story.WAY, keys=("f",)), awaited="fine, in 7 checks")


def test_check_without_an_engine(drawn: Callable[..., bool]) -> None:
    why = "The engine can't use '/home/mira/.local/state/runyard/engine.lock': Disk quota exceeded."
    assert drawn(size=SMALL, before=check(no_engine=why), awaited="r tries it again.")


def test_evidence(drawn: Callable[..., bool]) -> None:
    assert drawn(size=SMALL, before=check(*check_story.ALL, keys=("e",)), awaited="asked and answered")


def resources(*keys: str, row: str = "", field: str = "") -> Callable[[Stage], Awaitable[None]]:
    """The resources of a site: their table at a *row*, or the form of `alps` at a *field*; then *keys*."""

    async def look(stage: Stage) -> None:
        assert isinstance(stage.app, Dashboard)
        resource_story.tell(stage.app.home)
        await stage.press("R")
        await at(stage, ResourcesPage)
        table = stage.app.screen.query_one(VirtualTable)
        await until(stage, lambda: table.total_count == 9)
        table.move_to(row or "alps")
        if field:
            stage.app.post_message(OpenField("alps", None, field))
            await at(stage, EditPage)
            page = stage.app.screen
            assert isinstance(page, EditPage)
            await until(stage, lambda: page.draft.dotted(page.form.path) == field)
            await until(stage, lambda: "main" in str(page.query_one(ScriptOfSample).visual))
        await stage.press(*keys)

    return look


MEM = "jobs_runner_config.default_slurm_config.mem"


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are told by their place below the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize("row", ["alps/mira", "old", "uzh"], ids=["profile", "broken", "paused"])
def test_resources(drawn: Callable[..., bool], row: str) -> None:
    assert drawn(size=SMALL, before=resources(row=row), awaited="resources/", story=slurm_story.clusters)


@pytest.mark.usefixtures("own_home")
def test_resources_light(drawn: Callable[..., bool]) -> None:
    look = resources()
    assert drawn(
        size=LARGE, theme="runyard-light", before=look, awaited="resources/", story=slurm_story.clusters
    )


@pytest.mark.usefixtures("own_home")
def test_new_resource(drawn: Callable[..., bool]) -> None:
    async def look(stage: Stage) -> None:
        await resources("n")(stage)
        await until(stage, lambda: isinstance(stage.app.focused, OptionList))

    assert drawn(size=SMALL, before=look, awaited="What kind of place is it?")


def test_edit(drawn: Callable[..., bool]) -> None:
    assert drawn(size=SMALL, before=resources(field=MEM), awaited="now 4G (= 4,000 MB)")


def test_edit_with_an_error(drawn: Callable[..., bool]) -> None:
    look = resources("backspace", *"iB", field=MEM)
    assert drawn(size=LARGE, before=look, awaited="mem must be memory")


def test_edit_beside_the_json(drawn: Callable[..., bool]) -> None:
    look = resources("f3", field="jobs_runner_config.gpu_slurm_config.gres")
    assert drawn(size=LARGE, theme="runyard-light", before=look, awaited='"type": "slurm_ssh"')


def test_edit_a_list(drawn: Callable[..., bool]) -> None:
    look = resources(
        "enter", *"module load cellpose", field="jobs_runner_config.gpu_slurm_config.extra_lines.0"
    )
    assert drawn(size=SMALL, before=look, awaited="module load cellpose")


def test_edit_a_map(drawn: Callable[..., bool]) -> None:
    look = resources(field="tasks_python_config.versions.3.12")
    assert drawn(size=SMALL, before=look, awaited="tasks_python_config.versions.3.12")


def test_plan_of_a_sample(drawn: Callable[..., bool]) -> None:
    assert drawn(size=SMALL, before=resources("f4", field=MEM), awaited="because")


def test_script_of_a_sample(drawn: Callable[..., bool]) -> None:
    assert drawn(size=SMALL, before=resources("f5", field=MEM), awaited="#SBATCH --partition=main")


def test_the_difference_before_saving(drawn: Callable[..., bool]) -> None:
    look = resources("backspace", "backspace", *"16G", "ctrl+s", field=MEM)
    assert drawn(size=SMALL, before=look, awaited='+      "mem": "16G"')


def test_question(drawn: Callable[..., bool]) -> None:
    async def ask(stage: Stage) -> None:
        assert isinstance(stage.app, Dashboard) and isinstance(stage.app.client, Logs)
        stage.app.client.asked.append(slurm_story.QUESTION)
        await stage.press("f2")
        await until(stage, lambda: isinstance(stage.app.focused, Input))

    assert drawn(size=SMALL, story=slurm_story.clusters, before=ask, awaited="Verification code")


def test_confirm(drawn: Callable[..., bool]) -> None:
    assert drawn("down", "c", size=SMALL)


def test_help(drawn: Callable[..., bool]) -> None:
    assert drawn("question_mark", size=SMALL)


def test_launch(drawn: Callable[..., bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(240):
        (folder / f"field_{number:04d}.tif").touch()
    monkeypatch.chdir(folder)
    # The plan would name variables that look secret, and say how many cores this machine has.
    for name in list(os.environ):
        if not name.startswith(("TEXTUAL_SNAPSHOT", "PYTEST_", "PATH", "HOME")):
            monkeypatch.delenv(name)
    texts = {"command": "gzip -k {item}", "items": "*.tif", "workdir": ".", "slots": "1"}

    async def fill(stage: Stage) -> None:
        for key, text in texts.items():
            stage.app.screen.query_one(f"#field-{key}", Input).value = text
        page = stage.app.screen
        await until(stage, lambda: "240" in str(page.query_one(PlanView).visual))

    assert drawn("n", size=SMALL, before=fill)
