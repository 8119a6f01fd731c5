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


def test_a_requeued_job_skips_what_came_to_its_end(lab: Lab) -> None:
    lab.environ.update(SLURM_JOB_ID="4711", SLURM_RESTART_COUNT="0")
    once = recorded(2, "test $(grep -c 2 ran) -gt 1 || sleep 50")
    lab.fill([recorded(0), recorded(1, "exit 1"), once, recorded(3)], slots=1)
    first = subprocess.Popen(lab.command("coordinate"), env=lab.environ, stdout=subprocess.PIPE)
    until(lambda: "2" in lab.ran())
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
        (2, "done"),
        (3, "done"),
    ]
    assert lab.of("bye", restart=2)[0]["counts"] == {"done": 3, "failed": 1, "cancelled": 0, "left": 0}
    assert lab.ran() == ["0", "1", "2", "2", "3"]
    assert lab.launch()["duplicate"]["restart"] == 2


def requeue(lab: Lab, restart: int = 1) -> None:
    """The scheduler starts the job again."""
    lab.environ["SLURM_RESTART_COUNT"] = str(restart)
    assert lab.launch()["claimed"]["restart"] == restart
    until(lambda: lab.of("bye", restart))


def test_what_a_scheduler_interrupted_runs_again_and_nothing_else(lab: Lab) -> None:
    lab.environ.update(SLURM_JOB_ID="4711", SLURM_RESTART_COUNT="0")
    slow = [recorded(index, f"test $(grep -c {index} ran) -gt 1 || sleep 50") for index in (3, 4)]
    lab.fill(
        [recorded(0), recorded(1, "exit 1"), recorded(2), *slow, recorded(5), recorded(6)],
        agent=["env"],
        part_bytes=300,
    )
    lab.ask("cancel.2")
    lab.launch()
    lab.started(3), lab.started(4)
    lab.ask("cancel.6")
    until(lambda: len(lab.of("end")) == 4)
    os.kill(lab.coordinator(), signal.SIGTERM)
    ends = {end["i"]: (end["state"], end["why"], end.get("again")) for end in lab.finish()}
    assert ends == {
        0: ("done", "", None),
        1: ("failed", "exit code 1", None),
        2: ("cancelled", "cancelled", None),
        3: ("cancelled", "terminated", True),
        4: ("cancelled", "terminated", True),
        6: ("cancelled", "cancelled", None),
    }
    assert [(left["i"], left["why"], left["again"]) for left in lab.of("left")] == [
        ([[5, 5]], "terminated", True)
    ]
    assert (lab.of("bye")[0]["why"], lab.of("bye")[0]["again"]) == ("terminated", True)
    until(lambda: not lives(lab.coordinator()))
    # Its host died as well, and nobody knows what it was writing.
    with (lab.folder / f"events.0.{len(lab.parts()) - 1}.jsonl").open("ab") as file:
        file.write(b'{"s":99,"t":1,"e":"end","i":5,"state":"do\0\n[]\n{"e":"end","i":[5]}\n{"e":"end","i":5')
    requeue(lab)
    again = sorted((end["i"], end["state"]) for end in lab.of("end", 1))
    assert again == [(3, "done"), (4, "done"), (5, "done")]
    [bye] = lab.of("bye", 1)
    assert (bye["why"], bye.get("again")) == ("done", None)
    assert bye["counts"] == {"done": 4, "failed": 1, "cancelled": 2, "left": 0}
    assert lab.ran() == ["0", "1", "3", "3", "4", "4", "5"]


def test_a_job_that_was_through_runs_nothing_when_it_is_requeued(lab: Lab) -> None:
    lab.environ.update(SLURM_JOB_ID="4711", SLURM_RESTART_COUNT="0")
    lab.fill([recorded(0, "sleep 0.5"), recorded(1), recorded(2)], slots=1, agent=["env"])
    lab.launch()
    lab.started(0)
    os.kill(lab.coordinator(), signal.SIGUSR2)
    lab.finish()
    until(lambda: not lives(lab.coordinator()))
    requeue(lab)
    # Others run them by now.
    assert not lab.of("start", 1)
    assert lab.of("bye", 1)[0]["counts"] == {"done": 1, "failed": 0, "cancelled": 0, "left": 2}
    assert lab.ran() == ["0"]


def test_a_coordinator_that_its_scheduler_lost_ends_before_the_next_one_runs_anything(lab: Lab) -> None:
    lab.environ.update(SLURM_JOB_ID="4711", SLURM_RESTART_COUNT="0")
    task = ["sh", "-c", "echo $$ >>pids; test $(wc -l <pids) -gt 1 || exec sleep 50"]
    lab.fill([task], agent=["env"], control_poll=0.3)
    lab.launch()
    pid, lost = lab.started(0), lab.coordinator()
    requeue(lab)
    [hello], [start] = lab.of("hello", 1), lab.of("start", 1)
    assert start["t"] - hello["t"] > 0.8
    assert not lives(lost)
    assert not lives(pid)
    assert [(end["i"], end["state"]) for end in lab.of("end", 1)] == [(0, "done")]
    assert not lab.of("end", 0)
    assert "started again elsewhere" in (lab.folder / "worker.err").read_text()


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
