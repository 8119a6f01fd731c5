"""The Launch screen: the plan follows what is typed, and nothing starts before it is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from textual.widgets import Input

from runners.config.files import write_profile
from runners.config.home import Home
from runners.config.places import profile_path
from runners.config.profile import parse_profile
from runners.engine.asking import RefusedError
from runners.requests import LaunchRequest, RequestKind
from runners.store.writer import Writer
from tests.clusters import add_cluster
from tests.conftest import set_slots
from tests.tui import stores
from tests.tui.stage import Stage, at, make_home, on_stage, sees, shown, until
from tui.screens.launch import Field, LaunchPage
from tui.screens.run import RunPage
from tui.screens.runs import RunsPage
from tui.widgets.plan_view import PlanView
from tui.widgets.tick import Tick


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    data = tmp_path / "data"
    data.mkdir()
    for number in range(30):
        (data / f"field [{number}].tif").touch()
    monkeypatch.chdir(data)
    return make_home(tmp_path / "home", None)


def words(stage: Stage) -> str:
    """What is on the screen, without frames and line breaks."""
    return " ".join(shown(stage).replace("│", " ").split())


def plan(stage: Stage) -> str:
    """What the plan says."""
    return str(stage.app.screen.query_one(PlanView).visual)


def wrong(stage: Stage) -> list[str]:
    return [field.key for field in stage.app.screen.query(Field) if field.has_class("-wrong")]


def asking(**task: Any) -> dict[str, Any]:
    """How a cluster is asked for work, with this for each task."""
    limits = {"num_jobs": 4, "cpus_per_job": 256, "mem_per_job": 100_000}
    return {
        "default_slurm_config": {"partition": "main", "cpus_per_task": 1, "mem": 100, **task},
        "batching_config": {
            f"{kind}_{name}": limit for name, limit in limits.items() for kind in ("target", "max")
        },
    }


def fill(stage: Stage, **texts: str) -> None:
    for key, text in texts.items():
        stage.app.screen.query_one(f"#field-{key}", Input).value = text


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_the_plan_appears_as_one_types(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, size=size) as stage:
        await stage.press("n")
        assert "Type a command" in words(stage)
        await stage.press(*"cat {item}", "tab", *"*.tif")
        await until(stage, lambda: "30 tasks in 1 batch" in words(stage))
        assert "first    cat 'field [0].tif'" in plan(stage)
        assert wrong(stage) == []
        fill(stage, slots="1")
        await until(stage, lambda: "1 at a time" in words(stage))


@pytest.mark.parametrize(
    ("texts", "field", "sentence"),
    [
        ({"command": "cat {itm}", "items": "*.tif"}, "command", "{itm} is no placeholder"),
        ({"command": "cat 'x", "items": "*.tif"}, "command", "has a quote that is not closed"),
        ({"command": "no-such-command {item}", "items": "*.tif"}, "command", "no command 'no-such-command'"),
        ({"command": "cat {item}", "items": "*.png"}, "items", "No file matches '*.png'"),
        ({"command": "cat {item}", "items": "*.tif", "mem": "lots"}, "mem", "must be memory"),
        ({"command": "cat {item}", "items": "*.tif", "cpus": "two"}, "cpus", "must be a whole number"),
        ({"command": "cat {item}", "items": "*.tif", "slots": "0"}, "slots", "must be 1 or more"),
        ({"command": "cat {item}", "items": "*.tif", "resource": "[/]"}, "resource", "[/]"),
        ({"workflow": "none.json"}, "workflow", "none.json"),
        ({"command": "cat {item}", "items_from": "none.txt"}, "items_from", "none.txt"),
    ],
)
async def test_a_faulty_field_is_marked_and_told_in_a_sentence(
    home: Home, texts: dict[str, str], field: str, sentence: str
) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        await stage.press("n")
        fill(stage, **texts)
        await until(stage, lambda: wrong(stage) == [field])
        assert sentence in plan(stage)
        await stage.press("ctrl+s")
        await stage.pause()
        await at(stage, LaunchPage)
        await until(stage, lambda: stage.app.focused is stage.app.screen.query_one(f"#field-{field}"))


async def test_the_faults_of_several_fields_are_told_together(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        await stage.press("n")
        fill(stage, command="cat {item}", items="*.png", cpus="two", mem="lots", time="-", slots="0")
        await until(stage, lambda: wrong(stage) == ["items", "cpus", "mem", "time"])
        for sentence in (
            "No file matches '*.png'",
            "CPUs 'two' must be",
            "memory 'lots' must be",
            "time '-'",
        ):
            assert sentence in plan(stage)
        # The fault that is told and gone to is the first one of the form.
        await stage.press("ctrl+s")
        await until(stage, lambda: stage.app.focused is stage.app.screen.query_one("#field-items"))
        fill(stage, items="*.tif", cpus="", mem="1G", time="90m", slots="2")
        await until(stage, lambda: wrong(stage) == [] and "30 tasks" in plan(stage))


@pytest.mark.parametrize(
    "texts",
    [
        {"command": "cat {item}"},
        {"command": "cat {item} | wc", "items": "*.tif"},
        {"command": "'cat x' y", "items": "*.tif"},
        {"command": "sh -c 'cat {item}'", "items": "*.tif"},
        {"command": "cat {item}", "items": "no-file"},
        {"command": "cat", "workflow": "none.json", "items": "*.tif"},
    ],
)
async def test_the_form_speaks_of_no_options(
    home: Home, monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]
) -> None:
    monkeypatch.delenv("SECRET_TOKEN", raising=False)
    async with on_stage(home, size=(160, 45)) as stage:
        await stage.press("n")
        fill(stage, **texts)
        await until(stage, lambda: "Type a command" not in plan(stage))
        assert " --" not in plan(stage).replace("`runyard run --export", "")


async def test_what_was_typed_is_there_again_until_the_form_is_emptied(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("n")
        fill(stage, command="cat {item}", items="*.tif", cpus="2")
        stage.app.screen.query_one("#field-shell", Tick).value = True
        await stage.press("escape", "n")
        await at(stage, LaunchPage)
        await sees(stage, "30 tasks")
        assert stage.app.screen.query_one("#field-cpus", Input).value == "2"
        assert stage.app.screen.query_one("#field-shell", Tick).value
        await stage.press("ctrl+r")
        await sees(stage, "Type a command")
        assert stage.app.screen.query_one("#field-command", Input).value == ""
        assert not stage.app.screen.query_one("#field-shell", Tick).value


async def test_f1_is_help_while_a_text_is_typed(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("n")
        assert "F1 help" in shown(stage).splitlines()[0]
        await stage.press("f1")
        await sees(stage, "Help: Launch", "Empty all fields")


@pytest.mark.parametrize("size", [(80, 24), (120, 34), (160, 45)])
async def test_every_field_is_wide_enough_for_what_it_says_while_empty(
    home: Home, size: tuple[int, int]
) -> None:
    add_cluster(home, "uzh", "slurm_sudo", jobs_runner_config=asking(cpus_per_task=128, time="13-04:05:06"))
    async with on_stage(home, size=size) as stage:
        await stage.press("n", "ctrl+r")
        for resource, said in (("", "none is needed"), ("uzh", "empty: me")):
            fill(stage, resource=resource)
            await sees(stage, said)
            for field in stage.app.screen.query(Input):
                assert field.content_size.width >= len(field.placeholder), field.id


async def test_an_empty_field_says_what_the_resource_makes_of_it(home: Home, tmp_path: Path) -> None:
    config = asking(cpus_per_task=3, mem="12G", time="20") | {
        "gpu_slurm_config": {"mem": "60G", "time": None}
    }
    add_cluster(home, "uzh", "slurm_ssh", jobs_runner_config=config)
    bare = asking(cpus_per_task=None, mem=None)
    add_cluster(home, "bare", "slurm_ssh", jobs_runner_config=bare)
    gpu = {"name": "gpu", "command": "cat {item}", "meta": {"needs_gpu": True, "cpus_per_task": 5}}
    cpu = {"name": "cpu", "command": "cat {item}", "meta": {"time": "90m"}}
    for name, steps in (("gpu", [gpu]), ("both", [cpu, gpu])):
        (tmp_path / f"{name}.json").write_text(json.dumps({"name": name, "steps": steps}))
    set_slots(home, 7)
    async with on_stage(home, size=(160, 45)) as stage:

        def empty(key: str) -> str:
            return stage.app.screen.query_one(f"#field-{key}", Input).placeholder.rpartition("; ")[2]

        async def become(cpus: str, mem: str, time: str, slots: str = "empty: what fits") -> None:
            wanted = (cpus, mem, time, slots)
            await until(stage, lambda: tuple(map(empty, ("cpus", "mem", "time", "slots"))) == wanted)

        await stage.press("n")
        await become("empty: 1", "empty: no limit", "empty: no limit", "empty: 7")
        fill(stage, command="cat {item}", items="*.tif", resource="uzh")
        await become("empty: 3", "empty: 12 GB", "empty: 0:20:00 for a whole job")
        await until(stage, lambda: "8 at a time in each\nasks for 24 CPUs and 96 GB" in plan(stage))
        assert "--time=0:20:00" in plan(stage)
        # What is wrong elsewhere changes nothing of that.
        fill(stage, slots="x", resource="bare")
        await become("must be given", "must be given", "empty: what the partition allows")
        fill(stage, slots="", resource="uzh", command="", workflow=str(tmp_path / "gpu.json"))
        await become("empty: 5", "empty: 60 GB", "empty: what the partition allows")
        fill(stage, workflow=str(tmp_path / "both.json"))
        await become("empty: by step", "empty: by step", "empty: by step")
        fill(stage, resource="local")
        await become("empty: by step", "empty: no limit", "empty: by step", "empty: 7")
        fill(stage, workflow="none.json")
        await become(*4 * ["empty: by step"])
        set_slots(home, None)
        fill(stage, workflow="", command="cat {item}")
        await become("empty: 1", "empty: no limit", "empty: no limit", "empty: all at once")
        fill(stage, cpus="1")
        await become("empty: 1", "empty: no limit", "empty: no limit", "empty: what fits")


async def test_what_a_time_or_an_amount_means_is_told_beside_it(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("n")
        fill(stage, time="25:99", mem="12G")
        await sees(stage, "25:99", "= 0:26:39", "= 12,000 MB")
        fill(stage, time="0:26:39", mem="")
        await until(stage, lambda: "= " not in shown(stage))
        fill(stage, time="25:99x")
        await until(stage, lambda: wrong(stage) == ["time"])
        assert "= " not in shown(stage)
        await stage.press("ctrl+r")
        await until(stage, lambda: wrong(stage) == [])


async def test_what_is_typed_is_added_to_what_stands_there(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("n", *"cat", "tab", "shift+tab", *" {item}")
        assert stage.app.screen.query_one("#field-command", Input).value == "cat {item}"
        await stage.press("down", "x", "up", "down", "y")
        assert stage.app.screen.query_one("#field-items", Input).value == "xy"


async def test_the_help_tells_both_ways_through_the_fields(home: Home) -> None:
    async with on_stage(home, size=(100, 40)) as stage:
        await stage.press("n", "f1")
        await sees(stage, "tab ↓        To the next field", "shift+tab ↑  To the field before")
        assert shown(stage).count("To the next field") == shown(stage).count("To the field before") == 1


async def test_ctrl_s_launches_what_the_plan_says_and_opens_the_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[LaunchRequest] = []

    async def ask(home: Home, kind: RequestKind, payload: BaseModel, **_: Any) -> None:
        assert kind is RequestKind.LAUNCH and isinstance(payload, LaunchRequest)
        asked.append(payload)
        writer = Writer.open(home.database)
        stores.tell(writer, stores.Tale(payload.run, payload.spec.name, items=["a"]))
        writer.close()

    monkeypatch.setattr("runners.engine.asking.ask", ask)
    async with on_stage(home) as stage:
        await stage.press("n")
        fill(stage, command="cat {item} | wc -c", items="*.tif", name="my run", slots="3")
        stage.app.screen.query_one("#field-shell").focus()
        # Without waiting for the plan: what is launched is what is typed all the same.
        await stage.press("space", "ctrl+s", "ctrl+s")
        await at(stage, RunPage)
        assert [request.spec.name for request in asked] == ["my run"]
        step = asked[0].spec.workflow.steps[0]
        assert (step.command, step.shell, step.meta.parallel_tasks_per_job) == (
            ["cat {item} | wc -c"],
            True,
            3,
        )
        assert len(asked[0].items) == 30
        await stage.press("escape")
        await at(stage, RunsPage)


async def test_a_cluster_is_launched_on_as_one_of_its_profiles(home: Home) -> None:
    add_cluster(home, "uzh", "slurm_ssh", host="login.uzh.invalid")
    async with on_stage(home, size=(160, 45)) as stage:
        await stage.press("n")
        await sees(stage, "none is needed", "empty: the current one")
        fill(stage, command="cat {item}", items="*.tif", workdir="", resource="uzh")
        await sees(stage, "30 tasks in 4 batches", "empty: me", "empty: the run's own, on the cluster")
        assert "works in the run's own folder, on the cluster" in plan(stage)
        assert "#SBATCH --partition=main\n#SBATCH --ntasks=8\n" in plan(stage)
        assert "#SBATCH --output=/jobs/" in plan(stage) and "worker.py" not in plan(stage)
        profile = json.loads(profile_path(home.resources, "uzh", "me").read_text())
        write_profile(home.resources, "uzh", "[b]", parse_profile({**profile, "name": "[b]"}), None)
        fill(stage, folder="data")
        await until(stage, lambda: wrong(stage) == ["profile"])
        assert "there are [b], me." in plan(stage)
        await sees(stage, "[b], me")
        fill(stage, profile="me")
        await until(stage, lambda: wrong(stage) == ["folder"])
        assert "must be an absolute path on the cluster" in plan(stage)
        fill(stage, folder="/project/x")
        await until(stage, lambda: "project  /project/x" in plan(stage))
        assert "#SBATCH --output=/project/x/" in plan(stage)


async def test_names_of_profiles_are_completed(home: Home) -> None:
    add_cluster(home, "uzh", "slurm_sudo")
    async with on_stage(home) as stage:
        await stage.press("n")
        fill(stage, resource="uzh")
        await sees(stage, "empty: me")
        stage.app.screen.query_one("#field-profile").focus()
        await stage.press("m")
        await until(stage, lambda: stage.app.screen.query_one("#field-profile", Input)._suggestion == "me")
        await stage.press("right")
        assert stage.app.screen.query_one("#field-profile", Input).value == "me"


async def test_after_a_refusal_everything_typed_is_still_there(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 0

    async def refuse(*_: Any, **__: Any) -> None:
        nonlocal times
        times += 1
        raise RefusedError("The disk is full.")

    monkeypatch.setattr("runners.engine.asking.ask", refuse)
    async with on_stage(home) as stage:
        await stage.press("n")
        fill(stage, command="cat {item}", items="*.tif")
        await stage.press("ctrl+s")
        await sees(stage, "The disk is full.")
        await at(stage, LaunchPage)
        assert stage.app.screen.query_one("#field-command", Input).value == "cat {item}"
        await stage.press("ctrl+s")
        await until(stage, lambda: times == 2)


async def test_escape_leaves_and_nothing_was_written(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("n")
        fill(stage, command="cat {item}", items="*.tif")
        await sees(stage, "30 tasks")
        await stage.press("escape")
        await at(stage, RunsPage)
    writer = Writer.open(home.database)
    assert writer.waiting_requests() == [] and writer.runs() == []
    writer.close()


async def test_keys_that_are_typed_do_not_act(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("n", *"qrcn/?")
        await at(stage, LaunchPage)
        assert stage.app.screen.query_one("#field-command", Input).value == "qrcn/?"
