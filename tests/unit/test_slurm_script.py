"""Submission scripts: what sbatch makes of them, and what /bin/sh does with them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

import runners.worker
from runners.batches import BatchSpec, TaskSpec
from runners.config.errors import ConfigError
from runners.config.slurm import SlurmRunnerConfig
from runners.slurm.script import LARGEST_SCRIPT, ScriptContext, agent_command, submission_script
from runners.slurm.settings import JobSettings, job_settings

WORKER = Path(runners.worker.__file__).read_text()
TOKEN = "ry-3k9m2x7q-000-h2v8c5t1"


def settings(
    meta: Mapping[str, Any] | None = None, *, exports: Mapping[str, str] | None = None, **default: Any
) -> JobSettings:
    config = SlurmRunnerConfig.model_validate(
        {
            "default_slurm_config": {"partition": "main", "cpus_per_task": 2, "mem": 500, **default},
            "batching_config": {
                "target_num_jobs": 10,
                "max_num_jobs": 20,
                "target_cpus_per_job": 8,
                "max_cpus_per_job": 16,
                "target_mem_per_job": 8000,
                "max_mem_per_job": 16_000,
            },
            "user_local_exports": dict(exports or {}),
        }
    )
    return job_settings(config, meta, "a step")


def tasks(folder: str, *argvs: Sequence[str], limit_s: int | None = None) -> list[TaskSpec]:
    return [
        TaskSpec(index, tuple(argv), f"{folder}/{index}.log", limit_s) for index, argv in enumerate(argvs)
    ]


def batch(folder: str, specs: Sequence[TaskSpec], **more: Any) -> BatchSpec:
    given_as = {"token": TOKEN, "run": "3k9m2x7q", "workdir": "/tmp", "environment": {}, "slots": 2, **more}
    return BatchSpec(folder=folder, tasks=specs, **given_as)


def context(**more: Any) -> ScriptContext:
    return ScriptContext(**{"worker": WORKER, "python": sys.executable, "cache_dir": "/cache", **more})


def arguments(script: bytes) -> list[str]:
    """The options that sbatch finds in a script, by the rules of its opt.c."""
    found = []
    for line in script.decode("utf-8", "surrogateescape").split("\n"):
        if not line.startswith("#SBATCH"):
            if line.strip() and not line.strip().startswith("#"):
                break
            continue
        word, quote, escaped, begun = "", "", False, False
        for char in line.removeprefix("#SBATCH"):
            if char.isspace() and not quote:
                if begun:
                    found.append(word)
                word, escaped, begun = "", False, False
            elif escaped:
                word, escaped, begun = word + char, False, True
            elif char == "\\":
                escaped = True
            elif char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
            elif not quote and char == "#":
                break
            else:
                word, begun = word + char, True
        assert not quote, f"sbatch would refuse {line!r}"
        if begun:
            found.append(word)
    return found


def run(script: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a script as a node would, with agents that are plain child processes."""
    prefix = json.dumps(agent_command(settings(), 2), separators=(",", ":")).encode()
    assert script.count(b'"agent":' + prefix) == 1
    script = script.replace(b'"agent":' + prefix, b'"agent":[]')
    environment = {"PATH": "/usr/bin:/bin", "SLURM_JOB_ID": "123", "SLURM_MEM_PER_NODE": "5"}
    return subprocess.run(
        ["/bin/sh"], input=script, capture_output=True, cwd=folder, env=environment, timeout=60
    )


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.0.jsonl").read_text().splitlines()]


def test_what_sbatch_reads() -> None:
    script = submission_script(
        batch("/jobs/a b%j/it's", tasks("/x", ["true"], ["true"], ["true"], limit_s=60)),
        settings({"extra_lines": ["module load x", "#SBATCH --qos=high"], "gres": "gpu:1"}),
        context(account="proj", worker_init="umask 002"),
    )
    assert arguments(script) == [
        "--partition=main",
        "--ntasks=2",
        "--cpus-per-task=2",
        "--mem=1000M",
        f"--job-name={TOKEN}",
        "--gres=gpu:1",
        # Two in turn, and a spare.
        "--time=0:07:00",
        "--account=proj",
        "--output=/jobs/a b%%j/it's/slurm.out",
        "--open-mode=append",
        "--requeue",
        "--signal=B:USR2@105",
        "--qos=high",
    ]
    assert script.startswith(b"#!/bin/sh\n")
    assert b"\nmodule load x\numask 002\n" in script


@pytest.mark.parametrize(
    ("time", "option", "signal"),
    [
        (None, None, 120),
        ("UNLIMITED", "--time=UNLIMITED", 120),
        ("1-2", "--time=1-02:00:00", 120),
        ("90m", "--time=1:30:00", 120),
        ("2", "--time=0:02:00", 30),
    ],
)
def test_the_warning_leaves_a_short_job_some_time(time: str | None, option: str | None, signal: int) -> None:
    script = submission_script(batch("/jobs/a", tasks("/x", ["true"])), settings(time=time), context())
    found = arguments(script)
    assert [word for word in found if word.startswith("--time")] == ([option] if option else [])
    assert f"--signal=B:USR2@{signal}" in found


def test_agents_are_steps_with_the_needs_of_one_task() -> None:
    assert agent_command(settings(), 2) == ["srun", "--exact", "-N1", "-n1", "-c", "2", "--mem=500M"]
    per_cpu = settings({"cpus_per_task": 3}, use_mem_per_cpu=True)
    assert agent_command(per_cpu, 2)[-2:] == ["3", "--mem-per-cpu=167M"]


def test_the_script_runs_its_tasks(tmp_path: Path) -> None:
    folder = tmp_path / "it's a $(touch folder)"
    out = tmp_path / "out"
    out.mkdir()
    show = [sys.executable, "-c", "import os; print(os.environ['MODELS'], os.environ['OWN'], os.umask(0))"]
    specs = tasks(str(out), show, ["printf", "%s", "'; touch $(x)`y`\nEND"], ["false"])
    script = submission_script(
        batch(str(folder), specs, workdir=str(tmp_path), environment={"OWN": "a\nb"}),
        settings({"extra_lines": ["umask 027", "set -eu"]}, exports={"MODELS": "mo dels"}),
        context(),
    )
    done = run(script, tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    ends = {event["i"]: event["state"] for event in events(folder) if event["e"] == "end"}
    assert ends == {0: "done", 1: "done", 2: "failed"}
    # The job's own exports and mask reach the tasks; what the batch brings lies over them.
    assert (out / "0.log").read_text() == f"/cache/mo dels a\nb {0o027}\n"
    assert (out / "1.log").read_text() == "'; touch $(x)`y`\nEND"
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.name, "out"]
    assert (folder / "tasks.jsonl").stat().st_mode & 0o777 == 0o600
    assert not [path for path in folder.iterdir() if path.name.startswith("draft")]


def test_a_second_job_of_the_same_batch_runs_nothing(tmp_path: Path) -> None:
    specs = tasks(str(tmp_path), ["true"])
    script = submission_script(batch(str(tmp_path / "b"), specs), settings(), context())
    assert run(script, tmp_path).returncode == 0
    again = run(script.replace(b"runyard_python=", b"SLURM_JOB_ID=124 runyard_python="), tmp_path)
    assert (again.returncode, list(json.loads(again.stdout))) == (0, ["duplicate"])
    assert len([event for event in events(tmp_path / "b") if event["e"] == "end"]) == 1


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    specs = tasks(str(tmp_path), ["true"])
    script = submission_script(batch(str(tmp_path / "b"), specs), settings(), context(python="/no/python3"))
    done = run(script, tmp_path)
    assert done.returncode == 1
    assert b"There is no /no/python3 here; set the Python of the resource" in done.stderr
    assert not (tmp_path / "b").exists()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("")
    specs = tasks(str(tmp_path), ["true"])
    script = submission_script(batch(str(tmp_path / "b"), specs), settings(), context())
    done = run(script, tmp_path)
    assert done.returncode == 1
    assert f"The folder {tmp_path}/b can't be made. (node ".encode() in done.stderr


def test_a_full_disk_is_told_and_leaves_no_draft(tmp_path: Path) -> None:
    specs = tasks(str(tmp_path), ["true"])
    line = "cat() { command cat >/dev/null; echo no space left >&2; return 1; }"
    script = submission_script(
        batch(str(tmp_path / "b"), specs), settings({"extra_lines": [line]}), context()
    )
    done = run(script, tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no space left\nRunyard: worker.py can't be written. (node " in done.stderr
    assert list((tmp_path / "b").iterdir()) == []


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        ({"constraint": "a --account=evil"}, "constraint"),
        ({"gres": "gpu:1#"}, "gres"),
        ({"time": "'1:00"}, "time"),
        ({"extra_lines": ["#SBATCH --job-name=x"]}, "extra_lines"),
        ({"extra_lines": ["#SBATCH --job=x"]}, "extra_lines"),
        ({"extra_lines": ["#SBATCH -HJx"]}, "extra_lines"),
        ({"extra_lines": ['#SBATCH "--outp=x"']}, "extra_lines"),
        ({"extra_lines": ["#SBATCH --array=0-3"]}, "extra_lines"),
        ({"extra_lines": ["#SBATCH --no-requeue"]}, "extra_lines"),
        ({"extra_lines": ["#SBATCH --qos=a --"]}, "extra_lines"),
        ({"extra_lines": ["#SBATCH hetjob"]}, "extra_lines"),
        ({"extra_lines": ["#PBS -A evil"]}, "extra_lines"),
    ],
)
def test_values_that_would_be_options(meta: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        submission_script(batch("/b", tasks("/x", ["true"])), settings(meta), context())
    assert [path for path, _ in caught.value.fields] == [field]


@pytest.mark.parametrize(
    "line",
    ["#SBATCH --mail-type=END", "#SBATCH -C x -t 5", "#SBATCH --wait-all-nodes=1", "#SBATCH --export=NONE"],
)
def test_options_of_a_persons_own(line: str) -> None:
    script = submission_script(
        batch("/b", tasks("/x", ["true"])), settings({"extra_lines": [line]}), context()
    )
    assert arguments(script)[-len(line.split()) + 1 :] == line.split()[1:]


@pytest.mark.parametrize(
    "shebang", ["", "echo no", "#!/usr/bin/python3", "#!", "#!/usr/bin/env fish", "#!/bin/tcsh"]
)
def test_only_a_posix_shell_can_run_it(shebang: str) -> None:
    with pytest.raises(ConfigError, match="shebang_line must name a POSIX shell"):
        submission_script(batch("/b", []), settings(shebang_line=shebang), context())


@pytest.mark.parametrize("shebang", ["#!/bin/bash -l", "#!/usr/bin/env -S bash -l", "#! /bin/sh"])
def test_shells_that_can(shebang: str) -> None:
    script = submission_script(batch("/b", []), settings(shebang_line=shebang), context())
    assert script.startswith(shebang.encode() + b"\n")


@pytest.mark.parametrize(
    ("folder", "token", "told"),
    [
        ("relative", TOKEN, "absolute path"),
        ("/a\\b", TOKEN, "backslashes"),
        ("/a\nb", TOKEN, "line breaks"),
        ("/a", "a b", "'a b' is no name for a job"),
    ],
)
def test_what_no_script_can_be_made_of(folder: str, token: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        submission_script(batch(folder, [], token=token), settings(), context())


def test_a_python_is_a_path() -> None:
    with pytest.raises(ConfigError, match="is no path of a Python"):
        submission_script(batch("/b", []), settings(), context(python="py\nthon"))


def test_a_script_that_slurm_would_not_take() -> None:
    spec = tasks("/x", ["x" * LARGEST_SCRIPT])
    with pytest.raises(ConfigError, match=r"tasks_per_job puts 1 tasks into a script of 4\.\d MB"):
        submission_script(batch("/b", spec), settings(), context())


def test_the_worker_holds_no_directive_that_sbatch_obeys() -> None:
    assert not [line for line in WORKER.splitlines() if line.startswith(("#PBS", "#BSUB", "#SBATCH"))]


NASTY = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        [
            "\n#SBATCH --uid=0\n",
            "$(touch canary)",
            "`touch canary`",
            "'; touch canary; '",
            '"; touch canary; "',
            "\ntouch canary\n",
            "\nEND\ntouch canary\n",
            "' --account=evil",
            "\\",
            "a\rb\x1b[2J[/]",
            "\u2028#SBATCH -A x",
        ]
    ),
)


MAYBE = st.just("x") | NASTY


@given(
    MAYBE, MAYBE, NASTY, MAYBE, MAYBE, st.sampled_from(["gres", "constraint", "nodelist", "exclude", "gpus"])
)
@given_settings(max_examples=150, deadline=None)
def test_no_value_becomes_a_line_or_an_option(
    path: str, cache: str, text: str, export: str, wish: str, key: str
) -> None:
    def script(path: str, cache: str, text: str, export: str, wish: str) -> bytes:
        spec = TaskSpec(0, (text, text), "/x/" + text, None, {text: text}, "/x/" + text, text)
        return submission_script(
            batch("/jobs/" + path, [spec], run=text, workdir=text, environment={text: text}),
            settings({key: wish}, exports={"A": export}),
            context(account=wish, cache_dir="/c/" + cache, python="/bin/" + path),
        )

    plain = script("x", "x", "x", "x", "x")
    try:
        made = script(path, cache, text, export, wish)
    except (ConfigError, ValueError):
        assume(False)
    assert made.count(b"\n") == plain.count(b"\n")
    names = [word.split("=")[0] for word in arguments(plain)]
    assert [word.split("=")[0] for word in arguments(made)] == names
    assert f"--account={wish}" in arguments(made)
    for line in (b"#SBATCH", b"END_", b"runyard_write", b"export "):
        assert made.count(b"\n" + line) == plain.count(b"\n" + line)


@given(NASTY, NASTY)
@given_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_shell_writes_just_what_it_was_given(tmp_path: Path, path: str, text: str) -> None:
    assume("/" not in path and path not in ("", ".", "..") and len(path.encode()) < 200)
    folder = tmp_path / "jobs" / path
    spec = TaskSpec(0, (text,), text, None, {text: text}, text, text)
    try:
        script = submission_script(
            batch(str(folder), [spec], environment={text: text}), settings(), context(python="true")
        )
    except ConfigError:
        assume(False)
    done = run(script, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (line,) = (folder / "tasks.jsonl").read_text().splitlines()
    assert json.loads(line)["args"] == {text: text}
    assert json.loads((folder / "batch.json").read_text())["env"] == {text: text}
    assert (folder / "worker.py").read_text() == WORKER
    assert not (tmp_path / "canary").exists()
