"""The lab itself: a job runs on it, the ways to it work, and nothing of it stays."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.__main__ import main
from tests.lab.accounts import sudoers_file
from tests.lab.errors import LabError
from tests.lab.fixtures import ROOT
from tests.lab.lab import Lab
from tests.lab.processes import lab_processes
from tests.lab.waiting import listening, wait_for

here_only = pytest.mark.skipif(ROOT is not None, reason="has nothing to do with another system")


def traces(folder: Path) -> set[str]:
    """Where this machine shows a lab of *folder*; there may be others."""
    found = {str(folder)} if folder.exists() else set()
    for file in (Path("/etc/passwd"), Path("/proc/self/mounts"), *Path("/run/runyard-lab").glob("*")):
        # Another lab may leave just now.
        with contextlib.suppress(FileNotFoundError):
            if str(folder) in file.read_text():
                found.add(str(file))
    return found


def runs(lab: Lab, pattern: str) -> bool:
    """Whether a command runs as the lab's user."""
    uid = str(lab.spec.users[lab.spec.user])
    return (
        subprocess.run(
            ["pgrep", "--uid", uid, "-f", pattern], stdout=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    )


def ssh_command(lab: Lab, command: str) -> list[str]:
    """What runs a shell's line over SSH, with nothing but what is in the lab's home."""
    config = lab.home.config
    options = (f"-oUserKnownHostsFile={config}/known_hosts", "-oBatchMode=yes", "-oIdentitiesOnly=yes")
    key = ("-i", str(config / "lab_key"))
    return [
        "ssh",
        "-F",
        str(config / "ssh_config"),
        *options,
        *key,
        f"{lab.spec.user}@{lab.spec.name}",
        command,
    ]


def ssh(lab: Lab, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's line over SSH."""
    return subprocess.run(ssh_command(lab, command), capture_output=True, text=True, check=False)


def sudo(lab: Lab, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the lab's user, as the operator may."""
    return subprocess.run(
        ["sudo", "-n", "-H", "-u", lab.spec.user, "--", *command],
        env={**os.environ, **lab.environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_job_runs_as_the_user_and_on_two_nodes(lab: Lab) -> None:
    user = lab.spec.user
    out = f"{lab.spec.home_of(user)}/out"
    script = "#!/bin/sh\nid -un\nsrun -l sh -c 'echo $SLURMD_NODENAME'\n"
    lab.ground.must(
        *("runuser", "-u", user, "--", "sbatch", "--wait", "-N2", "-n2", f"--output={out}"), stdin=script
    )
    assert sorted(lab.here(out).read_text().split()) == sorted([user, "0:", "c1", "1:", "c2"])


def test_gpus_are_given_away_once(lab: Lab) -> None:
    user = lab.spec.user
    for _ in range(2):
        lab.ground.must(
            *("runuser", "-u", user, "--", "sbatch", "--partition=gpu", "--gres=gpu:v100:2"),
            *("--output=/dev/null", "--wrap=sleep 60"),
        )
    wait_for(lambda: lab.squeue("--noheader", "--format=%T %r").split("\n")[0], "the jobs")
    wait_for(
        lambda: sorted(lab.squeue("--noheader", "--format=%T").split()) == ["PENDING", "RUNNING"],
        "one to run",
    )


def test_the_way_over_ssh_asks_nothing_and_knows_the_cluster(lab: Lab) -> None:
    done = ssh(lab, "id -un; squeue --noheader --version; scontrol ping")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == lab.spec.user
    assert "UP" in done.stdout


@here_only
def test_sudo_grants_the_five_commands_and_nothing_else(lab: Lab) -> None:
    home = lab.spec.home_of(lab.spec.user)
    assert sudo(lab, "mkdir", f"{home}/made").returncode == 0
    assert "made" in sudo(lab, "ls", home).stdout
    assert sudo(lab, "sbatch", "--output=/dev/null", "--wrap=true").stdout.startswith("Submitted batch job")
    for command in (("id",), ("sh", "-c", "true"), ("squeue",)):
        assert "a password is required" in sudo(lab, *command).stderr


def test_up_and_down_leave_no_trace_whatever_runs(lab_folder: Path) -> None:
    root = ["--root", str(ROOT)] if ROOT else []
    assert main(["up", str(lab_folder), "--nodes", "2", *root]) == 0
    lab = Lab.at(lab_folder)
    assert lab.spec.node_names == ["c1", "c2", "g1"]
    own = [Path("/run/runyard-lab") / str(lab.spec.number)] + ([] if ROOT else [sudoers_file(lab.spec)])
    assert all(path.exists() for path in own)
    disk = lab.small_disk("small", 1)
    lab.ground.must(
        *("runuser", "-u", lab.spec.user, "--", "sbatch", "--output=/dev/null", f"--chdir={disk}"),
        stdin="#!/bin/sh\nsetsid sleep 61 &\nsrun sleep 62\n",
    )
    wait_for(lambda: runs(lab, "^/usr/bin/sleep 62$"), "the job")
    session = subprocess.Popen(ssh_command(lab, "sleep 63"))
    wait_for(lambda: runs(lab, "^sleep 63$"), "the session")
    lab.pause_controller()
    assert main(["down", str(lab_folder)]) == 0
    session.wait()
    assert lab_processes(lab.spec.name, lab.spec.users.values()) == set()
    assert not any(listening(port) for port in lab.spec.ports)
    assert traces(lab_folder) == set()
    assert not any(path.exists() for path in own)
    assert not any(user in Path("/etc/group").read_text() for user in lab.spec.users)


def test_labs_live_side_by_side(lab_folder: Path, lab: Lab) -> None:
    other = Lab.up(lab_folder, nodes=1, root=ROOT)
    assert not set(other.spec.ports) & set(lab.spec.ports)
    assert not set(other.spec.users) & set(lab.spec.users)
    other.down()
    assert lab.scontrol("ping")
    assert lab.run("id", lab.spec.user).returncode == 0


def test_what_was_broken_is_healed(lab: Lab) -> None:
    lab.pause_controller()
    lab.kill_node("c1")
    lab.heal()
    lab.node_down("c2")
    lab.partition("main", "down")
    lab.stop_sshd()
    assert ssh(lab, "true").returncode == 255
    lab.change_host_key()
    assert "HOST IDENTIFICATION HAS CHANGED" in ssh(lab, "true").stderr
    # What was deleted a moment ago comes back with a controller that had no time to save it.
    lab.policy.reservation("theirs", lab.spec.other_user, "c1")
    saved = lab.spec.here / "state" / "resv_state"
    wait_for(lambda: saved.exists() and b"theirs" in saved.read_bytes(), "the reservation to be saved")
    lab.policy.undo()
    lab.kill_controller()
    assert not listening(lab.spec.controller_port)
    lab.heal()
    assert ssh(lab, "true").returncode == 0
    lab.ground.must(
        *("runuser", "-u", lab.spec.user, "--", "sbatch", "--wait", "-N4", "--output=/dev/null"),
        stdin="#!/bin/sh\nexit 0\n",
    )


@here_only
def test_a_lab_whose_owner_was_killed_is_cleared_away_by_the_next_one(lab_folder: Path, lab: Lab) -> None:
    left = lab_folder.with_name("left")
    script = f"""
import os, signal
from pathlib import Path
from tests.lab.fixtures import ROOT
from tests.lab.lab import Lab
Lab.up(Path({str(left)!r}), nodes=1)
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    old = Lab.at(left)
    assert lab_processes(old.spec.name, ())
    new = Lab.up(lab_folder, nodes=1)
    assert new.spec.number == old.spec.number
    assert traces(left) == set()
    assert lab.scontrol("ping")


@here_only
def test_env_names_what_a_shell_needs(lab_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Lab.up(lab_folder, nodes=1)
    assert main(["env", str(lab_folder)]) == 0
    lines = capsys.readouterr().out
    shown = subprocess.run(
        ["sh", "-c", f"{lines}scontrol ping && printf %s $RUNYARD_HOME"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.endswith(f"{lab_folder}/home")


@here_only
def test_a_folder_that_will_not_do_is_refused_in_one_sentence(
    lab_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab_folder.mkdir()
    (lab_folder / "mine").touch()
    hidden = lab_folder.with_name("h")
    hidden.mkdir(mode=0o700)
    for folder, words in (
        (lab_folder, "is not an empty folder"),
        (hidden / "lab", "can't pass"),
        (Path("/tmp/a b"), "without spaces"),
        (Path("/tmp") / ("x" * 80), "too long"),
    ):
        assert main(["up", str(folder)]) == 1
        assert words in capsys.readouterr().err
        assert traces(folder) <= {str(lab_folder)}
    assert main(["down", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"There is no lab in {str(tmp_path)!r}.\n"
    assert (lab_folder / "mine").exists()


@here_only
def test_what_fails_on_the_way_up_leaves_nothing(lab_folder: Path) -> None:
    with pytest.raises(LabError, match="NoSuchOption"):
        Lab.up(lab_folder, options=("NoSuchOption=1",))
    assert traces(lab_folder) == set()


def test_the_accounts_limit_and_the_books_are_kept(accounting_lab: Lab) -> None:
    lab = accounting_lab
    submit = ("runuser", "-u", lab.spec.user, "--", "sbatch", "--output=/dev/null", "--parsable")
    lab.limit_submissions(1)
    job = lab.ground.must(*submit, "--wrap=sleep 60").strip()
    assert "AssocMaxSubmitJobLimit" in lab.run(*submit, "--wrap=true").stderr
    lab.ground.must("scancel", job)
    wait_for(
        lambda: "CANCELLED" in lab.sacct("--noheader", "--parsable2", f"--jobs={job}", "--format=State"),
        "the books",
    )
    lab.heal()
    lab.ground.must(*submit, "--wrap=true")
