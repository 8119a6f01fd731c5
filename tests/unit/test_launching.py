"""From options to a launch request: what is checked before anything is written."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from runners.config.files import ensure_local_resource, read_resource, write_resource
from runners.config.home import Home
from runners.config.resource import parse_resource
from runners.environment import task_environment
from runners.launching import LaunchError, LaunchOptions, Prepared, prepare, task_needs
from runners.states import State
from runners.store.writer import Writer
from runners.workflow import TaskType
from tests.clusters import add_cluster
from tests.tui import stores

ENVIRON = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.make()
    ensure_local_resource(home.resources, home.jobs.parent)
    return home


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c d.txt"):
        (folder / name).touch()
    return folder


def options(work: Path, *command: str, **more: object) -> LaunchOptions:
    return LaunchOptions(command=command, workdir=work, **more)  # type: ignore[arg-type]  # fields by name


def table(work: Path, content: str) -> Path:
    path = work / "table.csv"
    path.write_text(content)
    return path


def files_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_a_command_on_items(home: Home, work: Path) -> None:
    prepared = prepare(
        options(work, "gzip", "-kc", "{item}", items=("*.txt",), cpus=1, mem="100M", time="90s", slots=2),
        home,
        environ=ENVIRON,
    )
    spec = prepared.request.spec
    (step,) = spec.workflow.steps
    assert (spec.name, spec.resource, spec.profile, spec.workdir) == ("gzip", "local", None, str(work))
    assert [item.value for item in prepared.request.items] == ["a.txt", "b.txt", "c d.txt"]
    assert (step.name, step.type, step.command) == ("gzip", TaskType.PARALLEL, ["gzip", "-kc", "{item}"])
    assert step.meta.model_dump(exclude_unset=True) == {
        "cpus_per_task": 1,
        "mem": 100,
        "time": 90,
        "parallel_tasks_per_job": 2,
    }
    assert prepared.commands == (("gzip", "-kc", "a.txt"),)
    ((_, plan),) = prepared.plans
    assert (plan.tasks, len(plan.batches)) == (3, 1)
    assert spec.environment == ENVIRON
    assert len(prepared.request.run) == 8


def test_a_command_without_items_runs_once(home: Home, work: Path) -> None:
    prepared = prepare(options(work, "echo", "{{item}}"), home, environ=ENVIRON)
    assert prepared.request.spec.workflow.steps[0].type is TaskType.NON_PARALLEL
    assert prepared.request.items == []
    assert prepared.plans[0][1].tasks == 1
    assert prepared.commands == (("echo", "{item}"),)
    assert prepared.warnings == ()


def test_the_words_of_a_shell_line_are_one_script(home: Home, work: Path) -> None:
    prepared = prepare(options(work, "cat {item} | wc -c", shell=True, items=("*",)), home, environ=ENVIRON)
    assert prepared.request.spec.workflow.steps[0].command == ["cat {item} | wc -c"]
    assert prepared.request.spec.name == "cat"
    assert prepared.commands[0][:2] == ("/bin/sh", "-c")
    assert prepared.commands[0][-1] == "a.txt"
    assert prepared.typed == ("cat 'a.txt' | wc -c",)


def test_items_from_standard_input(home: Home, work: Path) -> None:
    given = options(work, "echo", "{item}", items_from="-")
    prepared = prepare(given, home, stdin=io.BytesIO(b"x\ny z\n"), environ=ENVIRON)
    assert [item.value for item in prepared.request.items] == ["x", "y z"]
    given = options(work, "echo", "{item}", items_from="-", nuls=True)
    prepared = prepare(given, home, stdin=io.BytesIO(b"x\ny\0z\0"), environ=ENVIRON)
    assert [item.value for item in prepared.request.items] == ["x\ny", "z"]


def test_columns_of_a_table(home: Home, work: Path) -> None:
    source = table(work, "plate,well\nP1,A1\nP2,B2\n")
    prepared = prepare(options(work, "echo", "{well}", "{item}", items_from=source), home, environ=ENVIRON)
    assert prepared.commands == (("echo", "A1", "P1"),)


def workflow_file(work: Path, content: object) -> Path:
    path = work / "flow.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_workflow(home: Home, work: Path) -> None:
    path = workflow_file(
        work,
        {
            "name": "two steps",
            "steps": [
                {"name": "each", "command": "echo '{item} x'", "meta": {"mem": "2G", "time": "1:00:00"}},
                {
                    "name": "all",
                    "type": "non_parallel",
                    "command": "wc -l < {args_json}",
                    "shell": True,
                    "args": {"sigma": 2},
                },
            ],
        },
    )
    given = LaunchOptions(workflow=path, items=("*.txt",), workdir=work, time="30s", name="mine")
    prepared = prepare(given, home, environ=ENVIRON)
    each, every = prepared.request.spec.workflow.steps
    assert prepared.request.spec.name == "mine"
    assert (each.command, each.meta.mem, each.meta.time) == (["echo", "{item} x"], 2000, 30)
    assert (every.command, every.meta.time) == (["wc -l < {args_json}"], 30)
    assert [plan.tasks for _, plan in prepared.plans] == [3, 1]
    assert prepared.commands[0] == ("echo", "a.txt x")
    assert prepared.commands[1][-1] == "ARGS_JSON"


def refusal(given: LaunchOptions, home: Home, field: str) -> str:
    before = files_below(home.config.parent)
    with pytest.raises(LaunchError) as caught:
        prepare(given, home, environ=ENVIRON)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert caught.value.field == field
    assert files_below(home.config.parent) == before
    return sentence


def test_what_a_task_can_not_be_given_is_one_sentence() -> None:
    with pytest.raises(LaunchError, match=r"^cpus must be \d+ or less\.$") as caught:
        task_needs(cpus=10**30)
    assert caught.value.field == "cpus"


@pytest.mark.parametrize(
    ("more", "field", "reason"),
    [
        ({"command": ()}, "command", "nothing to run"),
        ({"command": (" ",)}, "command", "nothing to run"),
        ({"command": ("echo", "\udce9")}, "command", "not UTF-8"),
        ({"command": ("echo", "{item}")}, "items", "wants {item}, and there are no items"),
        ({"command": ("echo", "{itm}"), "items": ("*",)}, "command", "{itm} is no placeholder"),
        ({"command": ("echo", "{itm}")}, "command", "{itm} is no placeholder"),
        (
            {"command": ("nonesuch-1", "{item}"), "items": ("*",)},
            "command",
            "no command 'nonesuch-1' on the PATH",
        ),
        ({"command": ("echo x | wc",)}, "command", "needs --shell"),
        ({"command": ("./nonesuch",)}, "command", "There is no command './nonesuch' in"),
        ({"command": ("./a.txt",)}, "command", "chmod +x"),
        ({"items": ("*.tif",)}, "items", "No file matches '*.tif'"),
        ({"items": ("*",), "items_from": "-"}, "items_from", "give one of the two"),
        ({"items_from": "absent.txt"}, "items_from", "No such file"),
        ({"items_from": "-"}, "items_from", "no standard input"),
        ({"resource": "nonesuch"}, "resource", "There is no resource named nonesuch"),
        ({"resource": "../x"}, "resource", "cannot be named"),
        ({"profile": "nonesuch"}, "profile", "There is no profile"),
        ({"mem": "5GB"}, "mem", "mem '5GB' must be memory"),
        ({"time": "soon"}, "time", "time 'soon' must be a time"),
        ({"cpus": 0}, "cpus", "cpus 0 must be 1 or more"),
        ({"cpus": 10**30}, "cpus", "cpus must be 9007199254740992 or less"),
        ({"slots": 10**30}, "slots", "slots must be 9007199254740992 or less"),
        ({"tasks_per_job": 10**30}, "tasks_per_job", "tasks_per_job must be 9007199254740992 or less"),
        ({"slots": 0}, "slots", "slots 0 must be 1 or more"),
        ({"export": ("NONESUCH",)}, "export", "no variable 'NONESUCH'"),
        ({"name": "a\x1b[31m"}, "name", "can't be named"),
        ({"name": " "}, "name", "can't be named"),
        ({"workdir": Path("/nonesuch")}, "workdir", "/nonesuch, is not there"),
        ({"workflow": Path("/nonesuch.json")}, "command", "give one of the two"),
        ({"workflow": Path("/nonesuch.json"), "command": ()}, "workflow", "No such file"),
    ],
)
def test_bad_input_is_one_sentence(
    home: Home, work: Path, more: dict[str, object], field: str, reason: str
) -> None:
    given = {"command": ("echo", "x"), "workdir": work, **more}
    assert reason in refusal(LaunchOptions(**given), home, field)  # type: ignore[arg-type]  # fields by name


STEP = {"name": "s", "command": ["echo", "{item}"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "this is not valid JSON"),
        ("[]", "a workflow is an object"),
        ({"steps": [STEP]}, "name is missing"),
        ({"name": "w", "steps": []}, "steps must not be empty"),
        ({"name": "w", "steps": [STEP, {"name": "t"}]}, "step 2 't': command is missing"),
        ({"name": "w", "steps": ["x"]}, "step 1: it must be an object"),
        ({"name": "w", "steps": [{**STEP, "tyep": "x"}]}, "step 1 's': tyep is not a known key"),
        (
            {"name": "w", "steps": [{**STEP, "type": "compound"}]},
            "step 1 's': type must be parallel or non_parallel: steps of type compound can't be run yet",
        ),
        ({"name": "w", "steps": [{**STEP, "type": "x"}]}, "type must be parallel or non_parallel"),
        ({"name": "w", "steps": [{**STEP, "type": ["x"]}]}, "type must be parallel or non_parallel"),
        ({"name": "w", "steps": [{**STEP, "command": []}]}, "command must not be empty"),
        ({"name": "w", "steps": [{**STEP, "command": " "}]}, "command must not be empty"),
        ({"name": "w", "steps": [{**STEP, "command": "a 'b"}]}, "command can't be cut into words"),
        ({"name": "w", "steps": [{**STEP, "shell": True}]}, "command must be one string"),
        ({"name": "w", "steps": [{**STEP, "shell": "false"}]}, "shell must be true or false"),
        ({"name": "w", "steps": [{**STEP, "command": ["a\0b"]}]}, "NUL"),
        ('{"name": "w", "steps": [{"name": "s", "command": "x", "args": {"a": NaN}}]}', "NaN"),
        ({"name": "w", "steps": [{**STEP, "meta": {"mem": "1GB"}}]}, "step 1 's': meta.mem must be memory"),
        ({"name": "w", "steps": [{**STEP, "meta": {"time": "x"}}]}, "step 1 's': meta.time must be a time"),
        ({"name": "w", "steps": [{**STEP, "meta": {"parallel_tasks_per_job": 0}}]}, "must be 1 or more"),
    ],
)
def test_a_broken_workflow_file_is_one_sentence(home: Home, work: Path, content: object, reason: str) -> None:
    path = workflow_file(work, content)
    sentence = refusal(LaunchOptions(workflow=path, items=("*",), workdir=work), home, "workflow")
    assert reason in sentence
    assert str(path) in sentence


def test_a_workflow_of_parallel_steps_needs_items(home: Home, work: Path) -> None:
    path = workflow_file(work, {"name": "w", "steps": [STEP]})
    assert "there are no items" in refusal(LaunchOptions(workflow=path, workdir=work), home, "items")


def test_a_step_that_runs_once_can_t_have_an_item(home: Home, work: Path) -> None:
    path = workflow_file(work, {"name": "w", "steps": [{**STEP, "type": "non_parallel"}]})
    sentence = refusal(LaunchOptions(workflow=path, items=("*",), workdir=work), home, "command")
    assert "{item} stands for one item, but this step runs once" in sentence


def test_an_item_without_a_column_that_is_needed(home: Home, work: Path) -> None:
    source = work / "t.jsonl"
    source.write_text('{"a": 1, "b": 2}\n{"a": 3}\n')
    sentence = refusal(options(work, "echo", "{b}", items_from=source), home, "items_from")
    assert sentence == "Item 2, '3', has no column 'b', which step 'echo' needs."


def test_a_resource_that_takes_no_runs(home: Home, work: Path) -> None:
    stored = read_resource(home.resources, "local")
    data = {**stored.value.model_dump(mode="json"), "prevent_new_submissions": True}
    write_resource(home.resources, "local", parse_resource(data), stored.fingerprint)
    sentence = refusal(options(work, "echo"), home, "resource")
    assert "takes no new runs" in sentence
    assert "(runyard resource set local prevent_new_submissions=false lets them in again)" in sentence


def warnings(given: LaunchOptions, home: Home, **environ: str) -> str:
    prepared: Prepared = prepare(given, home, environ={**ENVIRON, **environ})
    return "\n".join(prepared.warnings)


def test_a_command_that_mentions_no_item_is_worth_a_warning(home: Home, work: Path) -> None:
    assert "mentions no placeholder" in warnings(options(work, "echo", "x", items=("*",)), home)
    assert warnings(options(work, "echo", "{args_json}", items=("*",)), home) == ""


def test_an_item_in_the_text_of_a_script_is_worth_a_warning(home: Home, work: Path) -> None:
    given = options(work, "sh", "-ec", "wc {item}", items=("*",))
    assert "a shell script, where a name such as 'a; b' is code" in warnings(given, home)
    assert warnings(options(work, "sh", "-c", 'wc "$1"', "sh", "{item}", items=("*",)), home) == ""


@pytest.mark.parametrize("word", ["|", ">", ">>", "<", "&&", "||", ";", "2>&1", "&", ">{stem}.txt"])
def test_a_word_for_a_shell_is_worth_a_warning(home: Home, work: Path, word: str) -> None:
    assert warnings(options(work, "sort", "{item}", word, items=("*",)), home) == (
        f"Step 'sort': {word!r} is handed to the command as it stands; "
        "with --shell the command is a line for a shell."
    )
    assert warnings(options(work, "sort {item}", word, "x", items=("*",), shell=True), home) == ""
    path = workflow_file(work, {"name": "w", "steps": [{**STEP, "command": ["echo", "{item}", word]}]})
    told = warnings(LaunchOptions(workflow=path, items=("*.txt",), workdir=work), home)
    assert 'with "shell": true the command' in told


def test_a_semicolon_for_find_is_worth_no_warning(home: Home, work: Path) -> None:
    assert warnings(options(work, "find", "{item}", "-exec", "wc", "{}", ";", items=("*",)), home) == ""


def test_work_that_the_machine_is_busy_with_is_worth_a_warning(home: Home, work: Path) -> None:
    assert warnings(options(work, "echo"), home) == ""
    writer = Writer.open(home.database)
    assert warnings(options(work, "echo"), home) == ""
    running = {0: State.RUNNING, 1: State.RUNNING}
    stores.tell(writer, stores.Tale(id="live0000", name="live", items=["x", "y", "z"], states=running))
    over = stores.Tale(id="over0000", name="o", state=State.DONE, rest=State.DONE, items=["x"], ended=1.0)
    stores.tell(writer, over)
    writer.close()
    assert warnings(options(work, "echo"), home) == (
        "2 tasks of other runs are running here now: all share the machine."
    )


def test_behind_ssh_tasks_start_in_the_run_s_own_folder(home: Home, work: Path) -> None:
    add_cluster(home, "far", "slurm_ssh")
    spec = prepare(LaunchOptions(command=("nonesuch",), resource="far"), home, environ=ENVIRON).request.spec
    assert (spec.profile, spec.workdir, spec.folder, spec.environment) == ("me", "", None, {})
    given = LaunchOptions(command=("x",), resource="far", workdir=Path("/far/w"), folder=Path("/far/p"))
    spec = prepare(given, home, environ=ENVIRON).request.spec
    assert (spec.workdir, spec.folder) == ("/far/w", "/far/p")


def test_through_sudo_tasks_start_in_a_folder_of_this_machine(home: Home, work: Path) -> None:
    add_cluster(home, "near", "slurm_sudo")
    given = options(work, "nonesuch", "{item}", resource="near", items=("*.txt",), folder=Path("/project"))
    prepared = prepare(given, home, environ={**ENVIRON, "SECRET_KEY": "x"})
    assert (prepared.request.spec.workdir, prepared.request.spec.folder) == (str(work), "/project")
    assert prepared.warnings == ()
    ((_, plan),) = prepared.plans
    assert plan.cpus_per_batch == 3


def test_a_cluster_gets_of_the_environment_what_is_exported(home: Home, work: Path) -> None:
    add_cluster(home, "near", "slurm_sudo")
    given = options(work, "echo $A $HOME ${B} $C $D; C=1", shell=True, resource="near", export=("A",))
    prepared = prepare(given, home, environ={**ENVIRON, "A": "1", "B": "2", "C": "3", "HOME": "/h"})
    assert prepared.request.spec.environment == {"A": "1"}
    assert prepared.warnings == (
        "Step 'echo' uses $B, which the cluster does not get from here: --export B hands it on.",
    )


def test_files_of_this_machine_as_items_behind_ssh_are_worth_a_warning(
    home: Home, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_cluster(home, "far", "slurm_ssh")
    monkeypatch.chdir(work)
    given = LaunchOptions(command=("wc", "{item}"), resource="far", items=("*.txt",))
    prepared = prepare(given, home, environ=ENVIRON)
    assert [item.value for item in prepared.request.items] == ["a.txt", "b.txt", "c d.txt"]
    assert prepared.warnings == (
        "The items are names of files of this machine: on cluster.invalid the same names must lead to them "
        "from the folder of the run.",
    )
    listed = LaunchOptions(command=("wc", "{item}"), resource="far", items_from="a.txt")
    (work / "a.txt").write_text("/far/1\n")
    assert prepare(listed, home, environ=ENVIRON).warnings == ()


@pytest.mark.parametrize(
    ("more", "field", "reason"),
    [
        (
            {"workdir": Path("w")},
            "workdir",
            "The folder to work in, w, must be an absolute path on the cluster.",
        ),
        ({"workdir": Path("/a/../b")}, "workdir", 'must not have a ".." in its path.'),
        ({"workdir": Path("/a\nb")}, "workdir", "must be one line of UTF-8 text."),
        ({"workdir": Path("/nonesuch"), "items": ("*",)}, "workdir", "/nonesuch, is not there."),
        (
            {"folder": Path("p")},
            "folder",
            "The folder for the run, p, must be an absolute path on the cluster.",
        ),
        ({"profile": "you"}, "profile", "There is no profile of the resource far named you; there are: me."),
        ({"mem": "100G"}, "", "mem must not be above max_mem_per_job"),
        ({"export": ("NONE",)}, "export", "no variable 'NONE'"),
    ],
)
def test_bad_input_for_a_cluster_is_one_sentence(
    home: Home, more: dict[str, object], field: str, reason: str
) -> None:
    add_cluster(home, "far", "slurm_ssh")
    given = {"command": ("echo", "x"), "resource": "far", **more}
    assert reason in refusal(LaunchOptions(**given), home, field)  # type: ignore[arg-type]  # fields by name


def test_what_looks_secret_is_left_out_and_named(home: Home, work: Path) -> None:
    secret = {"AWS_SECRET_ACCESS_KEY": "x", "GITHUB_TOKEN": "y", "SSH_AUTH_SOCK": "/z"}
    given = options(work, "echo", export=("GITHUB_TOKEN",))
    assert warnings(given, home, **secret) == (
        "Tasks do not get AWS_SECRET_ACCESS_KEY, SSH_AUTH_SOCK: the names look secret "
        "(--export NAME hands one on)."
    )
    environment = prepare(given, home, environ={**ENVIRON, **secret}).request.spec.environment
    assert environment == {**ENVIRON, "GITHUB_TOKEN": "y"}


def test_what_tasks_get_of_the_environment() -> None:
    environ = {
        "HOME": "/h",
        "RUNYARD_HOME": "/r",
        "COLUMNS": "80",
        "PWD": "/x",
        "_": "/usr/bin/runyard",
        "db_password": "x",
        "BROKEN": "caf\udce9",
        "OMP_NUM_THREADS": "4",
    }
    assert task_environment(environ) == ({"HOME": "/h", "OMP_NUM_THREADS": "4"}, ("BROKEN", "db_password"))


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        "AWS_ACCESS_KEY_ID",
        "OPENAI_APIKEY",
        "PGPASSWORD",
        "API_KEY2",
        "my_secrets",
        "SSHPASS",
        "X_CREDENTIALS_FILE",
        "SSH_AUTH_SOCK",
    ],
)
def test_a_name_that_looks_secret(name: str) -> None:
    assert task_environment({name: "x"}) == ({}, (name,))


@pytest.mark.parametrize("name", ["TOX_TESTENV_PASSENV", "TOKENIZERS_PARALLELISM", "KEYBOARD", "PASSIVE_FTP"])
def test_a_name_that_does_not_look_secret(name: str) -> None:
    assert task_environment({name: "x"}) == ({name: "x"}, ())
