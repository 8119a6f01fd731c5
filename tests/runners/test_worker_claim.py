"""Who runs a batch: claims, duplicates, requeues; and what cannot be run at all."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.runners.worker_lab import Lab, lives, recorded, running_and_oldest, until

pytestmark = running_and_oldest


def test_of_many_launches_exactly_one_runs(lab: Lab) -> None:
    lab.fill([recorded(index) for index in range(4)])
    launches = [
        subprocess.Popen(lab.command("launch"), env=lab.environ, stdout=subprocess.PIPE) for _ in range(4)
    ]
    said = [json.loads(launch.communicate(timeout=30)[0]) for launch in launches]
    assert sorted(kind for answer in said for kind in answer) == [
        "claimed",
        "duplicate",
        "duplicate",
        "duplicate",
    ]
    claims = [claim for answer in said for claim in answer.values()]
    assert all(claim == claims[0] for claim in claims)
    lab.finish()
    assert lab.ran() == ["0", "1", "2", "3"]
    until(lambda: not lives(lab.coordinator()))
    assert {path.name for path in lab.folder.iterdir()} == {
        "batch.json",
        "tasks.jsonl",
        "claim",
        "events.0.jsonl",
        "worker.err",
        "logs",
        "ran",
    }
    assert (lab.folder / "worker.err").read_text() == ""


def test_the_claim_names_the_coordinator(lab: Lab) -> None:
    lab.fill([["sleep", "0.3"]])
    said = lab.launch()["claimed"]
    pid = said["pid"]
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    assert said == json.loads((lab.folder / "claim").read_text())
    assert said["start"] == int(stat[19])
    assert said["id"] == f"{pid}.{said['start']}"
    assert said["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert said["host"] == os.uname().nodename
    assert os.getsid(pid) not in (os.getsid(0), pid)  # detached, and unable to get a terminal
    assert (lab.folder / "claim").stat().st_mode & 0o777 == 0o600
    until(lambda: lab.of("hello"))
    [hello] = lab.of("hello")
    assert (hello["v"], hello["batch"], hello["run"], hello["restart"]) == (1, lab.token, "run-1", 0)
    assert (hello["pid"], hello["slots"], hello["tasks"], hello["notes"]) == (pid, 2, 1, [])
    lab.finish()


def test_a_requeued_job_skips_what_was_done(lab: Lab) -> None:
    lab.environ.update(SLURM_JOB_ID="4711", SLURM_RESTART_COUNT="0")
    once = recorded(1, "test $(grep -c 1 ran) -gt 1")
    lab.fill(
        [recorded(0), once, recorded(2, "test $(grep -c 2 ran) -gt 1 || sleep 50"), recorded(3)], slots=1
    )
    first = subprocess.Popen(lab.command("coordinate"), env=lab.environ, stdout=subprocess.PIPE)
    lab.started(2)
    os.kill(first.pid, signal.SIGKILL)  # the node fails
    assert json.loads(first.communicate()[0])["claimed"]["id"] == "4711"
    lab.environ["SLURM_JOB_ID"] = "4712"
    assert lab.launch()["duplicate"]["id"] == "4711"
    lab.environ["SLURM_JOB_ID"] = "4711"
    assert lab.launch()["duplicate"]["id"] == "4711"
    lab.environ["SLURM_RESTART_COUNT"] = "2"
    assert lab.launch()["claimed"]["restart"] == 2
    until(lambda: lab.of("bye", restart=2))
    assert [(end["i"], end["state"]) for end in lab.of("end", restart=2)] == [
        (1, "done"),
        (2, "done"),
        (3, "done"),
    ]
    assert lab.of("bye", restart=2)[0]["counts"] == {"done": 4, "failed": 0, "cancelled": 0, "left": 0}
    assert lab.ran() == ["0", "1", "1", "2", "2", "3"]
    assert lab.launch()["duplicate"]["restart"] == 2


def test_a_launcher_that_dies_costs_nothing(lab: Lab) -> None:
    lab.fill([recorded(0)])
    reader, writer = os.pipe()
    os.close(reader)
    subprocess.run(lab.command("coordinate"), env=lab.environ, stdout=writer, check=True)
    os.close(writer)
    assert lab.finish()[0]["state"] == "done"


def test_no_tasks(lab: Lab) -> None:
    assert lab.run([]) == []
    assert lab.of("bye")[0]["why"] == "done"


BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "no slots": ({"slots": 0}, "", "slots must be 1 or more, not 0"),
    "no heartbeat": ({"heartbeat": 0}, "", "heartbeat and control_poll must be more than 0 s"),
    "a wrong limit": (
        {},
        '{"i": 0, "argv": ["true"], "log": "/x", "limit": "1h"}',
        "limit must be seconds or null",
    ),
    "unknown version": ({"version": 9}, "", "it is of version 9, this worker knows 1"),
    "no such workdir": ({"workdir": "/no/such"}, "", "The folder to work in is not there: /no/such"),
    "half a line": ({}, '{"i": 0, "argv"', "tasks.jsonl, line 1 cannot be used"),
    "no argv": ({}, '{"i": 0, "log": "/x", "argv": []}', "argv must be a list of one or more texts"),
    "no log": ({}, '{"i": 0, "argv": ["true"]}', "'log' is missing"),
    "args without path": ({}, '{"i": 0, "argv": ["true"], "log": "/x", "args": {}}', "args needs args_path"),
    "an index twice": ({}, '{"i": 0, "argv": ["true"], "log": "/x"}\n' * 2, "an index is there twice"),
    "a list": ({}, "[]", "line 1 cannot be used: it is not an object"),
    "a wrong index": ({}, '{"i": "x", "argv": ["true"], "log": "/x"}', "i must be a whole number"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_batch_is_one_sentence(lab: Lab, case: str) -> None:
    batch, tasks, sentence = BROKEN[case]
    lab.fill([["true"]], **batch)
    if tasks:
        (lab.folder / "tasks.jsonl").write_text(tasks)
    said = lab.launch()
    assert sentence in said["error"]
    assert "\n" not in said["error"]
    done = subprocess.run(lab.command("coordinate"), env=lab.environ, capture_output=True)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (1, said, b"")
    assert not (lab.folder / "claim").exists()
    assert not lab.events()


def test_missing_files(lab: Lab) -> None:
    assert "no such file or directory" in lab.launch()["error"]
    lab.folder.mkdir()
    assert "batch.json cannot be used: no such file or directory" in lab.launch()["error"]
    (lab.folder / "batch.json").write_text("{}")
    assert "batch.json cannot be used: 'batch' is missing" in lab.launch()["error"]
    lab.fill([])
    (lab.folder / "tasks.jsonl").unlink()
    assert "tasks.jsonl" in lab.launch()["error"]


def test_a_wrong_call_says_how(lab: Lab) -> None:
    done = subprocess.run(lab.command("dance"), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: worker.py launch FOLDER")
