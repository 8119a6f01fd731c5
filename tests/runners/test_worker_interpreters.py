"""The worker under every Python from 3.6 on that this machine has."""

import os
import signal

import pytest

from tests.runners.worker_lab import INTERPRETERS, Lab, marked, recorded, until

everywhere = pytest.mark.parametrize("python", INTERPRETERS.values(), ids=INTERPRETERS.keys())


def test_the_oldest_supported_is_here() -> None:
    """Else this file says less than its name."""
    if not next(iter(INTERPRETERS)).startswith("3.6."):
        pytest.skip(f"no Python 3.6 on this machine; the oldest found is {next(iter(INTERPRETERS))}")
    assert len(INTERPRETERS) > 1


@everywhere
def test_smoke(lab: Lab) -> None:
    """Verdicts, a cancellation, a killed agent, heartbeats, the end: one batch."""
    lab.fill(
        [
            recorded(0, "echo 'ü'"),
            recorded(1, "exit 3"),
            ["no-such-command"],
            {"argv": ["sleep", "50"], "limit": 0.1},
            recorded(4, "sleep 50 & sleep 50"),
            recorded(5, "sleep 50"),
            recorded(6),
        ],
        heartbeat=0.1,
    )
    lab.launch()
    lab.started(4), lab.started(5)
    until(lambda: lab.of("hb"))
    lab.ask("cancel.4")
    slot = next(event["slot"] for event in lab.of("start") if event["i"] == 5)
    os.kill(lab.agent(slot), signal.SIGKILL)
    ends = lab.finish()
    assert [(end["state"], end["why"]) for end in ends] == [
        ("done", ""),
        ("failed", "exit code 3"),
        ("failed", "command not found: no-such-command"),
        ("failed", "time limit of 0.1 s reached"),
        ("cancelled", "cancelled"),
        ("failed", "slot agent died (killed by SIGKILL)"),
        ("done", ""),
    ]
    assert lab.log(0).read_text() == "ü\n"
    assert all(end["rss"] > 0 for end in ends if end["i"] in (0, 1))
    assert lab.ran() == ["0", "1", "4", "5", "6"]
    until(lambda: not marked(lab.token))
    assert (lab.folder / "worker.err").read_text() == ""


@everywhere
def test_nothing_outlives_a_killed_coordinator(lab: Lab) -> None:
    lab.fill([["sh", "-c", "setsid sleep 50 & sleep 50"], ["sleep", "50"]])
    lab.launch()
    lab.started(0), lab.started(1)
    os.kill(lab.coordinator(), signal.SIGKILL)
    until(lambda: not marked(lab.token))
