"""Agents and coordinators that die, agents that cannot start, a disk that is full."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.runners.worker_lab import Lab, lives, marked, recorded, running_and_oldest, until

pytestmark = running_and_oldest


def test_a_killed_agent_costs_one_task(lab: Lab) -> None:
    lab.fill(
        [
            recorded(0, "setsid sleep 50 & sleep 50 & sleep 50"),
            recorded(1, "sleep 1"),
            *(recorded(index) for index in range(2, 8)),
        ]
    )
    lab.launch()
    task, neighbour = lab.started(0), lab.started(1)
    slot = next(event["slot"] for event in lab.of("start") if event["i"] == 0)
    os.kill(lab.agent(slot), signal.SIGKILL)
    until(lambda: lab.of("end"))
    assert not lives(task)
    assert lives(neighbour)
    ends = lab.finish()
    assert [end["state"] for end in ends] == ["failed"] + ["done"] * 7
    assert (ends[0]["why"], ends[0]["slot"]) == ("slot agent died (killed by SIGKILL)", slot)
    assert (ends[0]["exit"], ends[0]["signal"], ends[0]["log"]) == (None, None, None)
    assert [event["state"] for event in lab.of("slot") if event["slot"] == slot] == ["ready", "lost", "ready"]
    assert lab.ran() == [str(index) for index in range(8)]
    until(lambda: not marked(lab.token))


def test_a_dead_agent_is_noticed_though_its_output_is_held_open(lab: Lab) -> None:
    started_by = ["sh", "-c", 'setsid sleep 5 & sleep 5 & exec "$@"', "sh"]
    lab.fill([recorded(0, "sleep 50"), recorded(1)], slots=1, agent=started_by)
    lab.launch()
    lab.started(0)
    os.kill(lab.agent(0), signal.SIGKILL)
    ends = lab.finish(3)
    assert [(end["state"], end["why"], end.get("again")) for end in ends] == [
        ("failed", "slot agent died (killed by SIGKILL)", True),
        ("done", "", None),
    ]
    assert lab.ran() == ["0", "1"]


STEPS_END = {
    "slurmstepd: error: StepId=1.1 exceeded memory limit (328261632 > 104857600), being killed": (
        "out of memory: asked 100 MB, reached 313 MB"
    ),
    "slurmstepd: error: Exceeded job memory limit": "out of memory: asked 200 MB",
    "slurmstepd: error: Detected 1 oom_kill event in StepId=5.0.": "out of memory: asked 200 MB",
    "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=5.0 cgroup.": "out of memory: asked 200 MB",
    "srun: error: c1: task 0: Out Of Memory": "out of memory: asked 200 MB",
    "srun: error: the room is too small for this memory": "slot agent died (exit code 137)",
}


@pytest.mark.parametrize(("words", "why"), STEPS_END.items(), ids=range(len(STEPS_END)))
def test_a_step_that_was_ended_for_its_memory(lab: Lab, words: str, why: str) -> None:
    script = '"$@" & wait $!; test -e told && exit 1; touch told; echo "$0" >&2; exit 137'
    lab.fill(
        [["sh", "-c", "kill -9 $PPID; sleep 50"], ["true"]],
        slots=1,
        memory=200,
        agent=["sh", "-c", f"cd {lab.folder}; exec 3<&0; {script.replace('&', '<&3 &', 1)}", words],
    )
    lab.launch()
    ends = lab.finish()
    assert [(end["state"], end["why"]) for end in ends] == [("failed", why), ("done", "")]
    again = None if "memory" in why else True
    # What may run again is not the worker's to close.
    assert (ends[0].get("again"), lab.of("bye")[0].get("again")) == (again, again)


def test_an_idle_agent_that_dies_costs_nothing(lab: Lab) -> None:
    lab.fill([recorded(0, "sleep 0.5"), recorded(1)])
    lab.launch()
    until(lambda: len(lab.of("end")) == 1)
    os.kill(lab.agent(lab.of("end")[0]["slot"]), signal.SIGKILL)
    assert [end["state"] for end in lab.finish()] == ["done", "done"]
    assert lab.ran() == ["0", "1"]


def test_nothing_outlives_a_killed_coordinator(lab: Lab) -> None:
    lab.fill(
        [
            recorded(0, "setsid sleep 50 & trap '' TERM; sleep 50 & sleep 50"),
            recorded(1, "sleep 50"),
            recorded(2),
        ]
    )
    lab.launch()
    pids = [lab.started(0), lab.started(1), lab.agent(0), lab.agent(1)]
    time.sleep(0.1)
    os.kill(lab.coordinator(), signal.SIGKILL)
    until(lambda: not marked(lab.token) and not any(map(lives, pids)))
    assert lab.ran() == ["0", "1"]
    assert not lab.of("end")
    assert "duplicate" in lab.launch()
    assert lab.ran() == ["0", "1"]


def test_no_agent_can_start(lab: Lab) -> None:
    ends = lab.run([recorded(0), recorded(1)], agent=["sh", "-c", "echo no such partition >&2; exit 1"])
    assert ends == []
    assert lab.ran() == []
    assert [(event["i"], event["why"]) for event in lab.of("left")] == [
        ([[0, 1]], "no agent could start: no such partition")
    ]
    [bye] = lab.of("bye")
    assert bye["why"] == "no agent could start: no such partition"
    assert bye["counts"] == {"done": 0, "failed": 0, "cancelled": 0, "left": 2}
    failures = lab.of("slot")
    assert len(failures) == 10
    assert {(event["state"], event["why"]) for event in failures} == {
        ("failed", "exit code 1: no such partition")
    }
    until(lambda: not lives(lab.coordinator()))


def test_the_command_that_starts_agents_is_missing(lab: Lab) -> None:
    assert lab.run([["true"]], agent=["no-such-srun", "--exact"]) == []
    assert lab.of("bye")[0]["why"] == "no agent could start: command not found: no-such-srun"


def test_an_agent_that_starts_at_the_third_try_costs_no_task(lab: Lab) -> None:
    script = 'echo x >> tries; test $(wc -l < tries) -gt 2 && echo "noise on stdout" && exec "$@"'
    script = f"cd {lab.folder}; {script}"
    ends = lab.run([recorded(0), recorded(1)], slots=1, agent=["sh", "-c", script, "sh"])
    assert [end["state"] for end in ends] == ["done", "done"]
    assert [event["state"] for event in lab.of("slot")] == ["failed", "failed", "ready"]
    assert lab.ran() == ["0", "1"]


def test_a_batch_whose_files_cannot_be_made_is_not_claimed(lab: Lab) -> None:
    lab.fill([["true"]])
    (lab.folder / "events.0.jsonl").mkdir()
    assert "cannot be started: file exists" in lab.launch()["error"]
    assert not (lab.folder / "claim").exists()


def test_slots_that_cannot_start_hold_up_no_others(lab: Lab) -> None:
    script = f'mkdir {lab.folder}/first 2>/dev/null && exec "$@"; sleep 50'
    ends = lab.run([recorded(index) for index in range(5)], slots=3, agent=["sh", "-c", script, "sh"])
    assert [end["state"] for end in ends] == ["done"] * 5
    until(lambda: not lives(lab.coordinator()))


def test_a_python_without_the_module_resource(lab: Lab) -> None:
    lab.folder.mkdir()
    wrapper = lab.folder / "minimal.py"
    wrapper.write_text(
        "import runpy, sys\n"
        "sys.modules['resource'] = None\n"
        "del sys.argv[: next(n for n, one in enumerate(sys.argv) if one.endswith('worker.py'))]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    minimal = [lab.python, "-I", "-S", str(wrapper)]
    lab.fill([["true"], ["sh", "-c", "exit 3"]], agent=minimal)
    lab.launch(*minimal)
    ends = lab.finish()
    assert [(end["state"], end["exit"], end["cpu"], end["rss"]) for end in ends] == [
        ("done", 0, None, None),
        ("failed", 3, None, None),
    ]
    assert lab.of("hello")[0]["notes"] == [
        "no peak memory and CPU time: this Python lacks the module resource"
    ]


def test_a_full_disk_loses_no_fact(small_disk: Path, python: str) -> None:
    lab = Lab(small_disk / "batch", python)
    lab.fill([*([["sleep", "0.5"]] * 2), *([["true"]] * 60)])
    lab.launch()
    lab.started(0), lab.started(1)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    time.sleep(1.2)
    assert not lab.of("bye")
    assert lives(lab.coordinator())
    filler.unlink()
    assert [end["state"] for end in lab.finish()] == ["done"] * 62
    until(lambda: not lives(lab.coordinator()))


def test_a_log_on_a_full_disk_fails_its_task_with_the_reason(lab: Lab, small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        for number in range(64):
            (small_disk / str(number)).touch()
    ends = lab.run([{"argv": ["true"], "log": str(small_disk / "x.log")}, {"argv": ["true"]}])
    assert [end["why"] for end in ends] == ["no space left on device (log)", ""]


def test_more_slots_than_files_that_may_be_open_costs_slots_and_no_task(lab: Lab) -> None:
    lab.fill([recorded(index, "sleep 0.2") for index in range(20)] + [["sleep", "50"]], slots=21)
    lab.launch("sh", "-c", 'ulimit -n 40; exec "$@"', "sh")
    lab.started(20)
    lab.ask("cancel.20")
    assert [end["state"] for end in lab.finish()] == ["done"] * 20 + ["cancelled"]
    assert lab.ran() == sorted(str(index) for index in range(20))
    failed = [event for event in lab.of("slot") if event["state"] == "failed"]
    assert failed
    assert all(event["why"].startswith("too many open files") for event in failed)


def test_a_batch_whose_folder_is_removed_stops_at_once(lab: Lab) -> None:
    ran = lab.folder.parent / "ran"
    tasks = [["sh", "-c", f"echo {index} >>{ran}; sleep 0.3"] for index in range(20)]
    lab.fill([*tasks, ["sleep", "50"]], heartbeat=0.2, workdir=str(lab.folder.parent))
    lab.launch()
    coordinator = lab.coordinator()
    lab.started(1)
    shutil.rmtree(lab.folder)
    until(lambda: not lives(coordinator))
    assert not marked(lab.token)
    # Nothing was started once it was known: what was started then was being killed.
    assert sorted(ran.read_text().split()) == ["0", "1"]
