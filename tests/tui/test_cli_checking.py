"""`runyard resource check`: what it prints, how it ends, and how findings are laid out."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.config.files import read_resource
from runners.config.home import Home
from runners.config.places import resource_path
from runners.findings import REST, Finding, FindingState
from tests.clusters import add_cluster
from tests.tui.cli_lab import answer, on_terminal, refusal, runyard
from tui.check_documents import CheckDocuments
from tui.finding_words import addressed, copied, fix_parts, summary
from tui.text import width_of
from tui.verbs.checking import evidence_lines, finding_lines

OK, WARNING, FAILURE, UNTOLD = FindingState

PARTITION = Finding(
    "partition",
    FAILURE,
    "The cluster has no partition 'mian': there are main, gpu and short, of which main is the default.",
    "Set the partition to one of: main, gpu, short",
    "scontrol show partition",
    "resource",
    "jobs_runner_config.default_slurm_config.partition",
)
SUDO = Finding(
    "sudo scancel",
    FAILURE,
    "scancel may not be run as 'mira'.",
    "Have an administrator add to sudoers: runyard ALL=(mira) NOPASSWD: /usr/bin/scancel",
)


def break_local(home: Home, **values: Any) -> None:
    """Change the file of the resource `local`."""
    path = resource_path(home.resources, "local")
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.usefixtures("home")
def test_a_resource_that_works() -> None:
    lines = runyard("resource", "check", "local").stdout.splitlines()
    assert lines[0].split() == ["check", "state", "detail"]
    assert all("✓ ok" in line for line in lines[1:-2])
    assert lines[-1] == f"{len(lines) - 3} {'check' if len(lines) == 4 else 'checks'}: {len(lines) - 3} ok."
    assert lines[-2] == ""


def test_what_keeps_work_from_running_shows_in_the_exit_code(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    break_local(home, jobs_local_dir=str(tmp_path / "file" / "jobs"))
    text = runyard("resource", "check", "local", code=1).stdout
    assert "✗ failure" in text and "1 failure" in text.splitlines()[-1]
    findings = answer("resource", "check", "local", "--json", code=1)
    (failure,) = [finding for finding in findings if finding["state"] == "failure"]
    assert str(tmp_path / "file") in failure["detail"]
    assert failure.keys() == {"check", "state", "detail", "fix", "evidence", "of", "field"}


def test_what_can_be_pasted_has_the_name_of_the_resource(home: Home) -> None:
    break_local(home, prevent_new_submissions=True)
    printed = runyard("resource", "check", "local", code=1).stdout
    assert "runyard resource set local prevent_new_submissions=false" in printed
    (failure,) = [one for one in answer("resource", "check", "local", "--json", code=1) if one["fix"]]
    assert (failure["check"], failure["field"]) == ("new runs", "prevent_new_submissions")
    runyard(*copied(failure["fix"]).split()[1:])
    runyard("resource", "check", "local")


def test_what_connects_has_the_names_of_the_resource_and_of_one_profile_among_several() -> None:
    def pasted(*profiles: str, in_dashboard: bool = False) -> tuple[str, str]:
        documents = CheckDocuments({}, {}, "me", profiles, False, True, True)
        finding = Finding(
            "login", UNTOLD, "", "Connect to the resource, and check again: runyard resource connect NAME"
        )
        return fix_parts(addressed(finding, "uzh", documents, in_dashboard=in_dashboard).fix)

    assert pasted("me") == ("Connect to the resource, and check again:", "runyard resource connect uzh")
    assert pasted("me", "you")[1] == "runyard resource connect uzh --profile me"
    assert pasted("me", in_dashboard=True) == (
        "Connect to the resource (c in the list of resources), and check again:",
        "runyard resource connect uzh",
    )


def test_on_a_terminal_no_line_is_too_long_and_the_status_goes(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    break_local(home, jobs_local_dir=str(tmp_path / "file" / "jobs"))
    printed = on_terminal("resource", "check", "local", columns=70)
    assert "checking local…" in printed
    lines = [line.rpartition("\x1b[K")[2] for line in printed.splitlines()]
    assert "\x1b" not in "".join(lines)
    assert all(width_of(line) <= 70 for line in lines)
    assert lines[-1].endswith("1 failure.")


def test_what_can_not_be_checked_is_said_before_an_engine_is_started(home: Home) -> None:
    assert refusal("resource", "check", "absent", code=3).startswith("There is no resource named absent")
    assert refusal("resource", "check", "local", "--tasks", "0").startswith("The sample: tasks must be")
    assert "mem must be memory" in refusal("resource", "check", "local", "--mem", "4X")
    assert "mem must not be above" in refusal("resource", "check", "local", "--mem", "1001T")
    add_cluster(home, "alps", "slurm_ssh")
    assert "no profile of the resource alps named you" in refusal(
        "resource", "check", "alps", "--profile", "you", code=3
    )
    folder = resource_path(home.resources, "alps").with_name("profiles")
    (folder / "you.json").write_text((folder / "me.json").read_text())
    assert refusal("resource", "check", "alps") == (
        "Name a profile for the resource alps with --profile: there are me, you."
    )
    break_local(home, jobs_local_dir="x", jobs_runner_config=3)
    told = refusal("resource", "check", "local")
    assert "jobs_local_dir must be an absolute path" in told and "jobs_runner_config must be" in told
    assert not home.lock.exists()


def test_problems_come_last_with_the_field_at_fault(home: Home, tmp_path: Path) -> None:
    break_local(home, jobs_local_dir="/proc/runs", prevent_new_submissions=True)
    lines = runyard("resource", "check", "local", code=1).stdout.splitlines()
    gap = lines.index("")
    assert gap > 1 and all("✓ ok" in line for line in lines[1:gap])
    assert [line.split("  ")[0] for line in lines[gap + 1 : -2]] == ["new runs", "jobs folder"]
    assert lines[gap + 2].endswith("  field: jobs_local_dir of the resource")
    assert lines[-2] == "" and lines[-1].endswith(", 2 failures.")
    only = runyard("resource", "check", "local", "--problems", code=1).stdout.splitlines()
    assert only == [lines[0], *lines[gap + 1 :]]
    findings = answer("resource", "check", "local", "--json", code=1)
    assert [one["check"] for one in findings][:2] == ["new runs", "jobs folder"]
    faulty = [one for one in findings if one["state"] != "ok"]
    assert answer("resource", "check", "local", "--json", "--problems", code=1) == faulty


def test_without_any_problem_only_their_number_is_printed(home: Home) -> None:
    assert runyard("resource", "check", "local", "--problems").stdout.endswith(" ok.\n")
    assert runyard("resource", "check", "local", "--problems").stdout.count("\n") == 1


def test_without_an_engine_there_is_no_check(home: Home) -> None:
    home.lock.mkdir()
    assert refusal("resource", "check", "local", code=4).startswith("The engine can't use")
    home.lock.rmdir()


def test_the_check_is_of_the_files_and_changes_none(home: Home) -> None:
    before = read_resource(home.resources, "local").fingerprint
    runyard("resource", "check", "local", "--tasks", "7", "--cpus", "1", "--mem", "100M", "--gpu")
    assert read_resource(home.resources, "local").fingerprint == before


def test_where_there_is_room_what_to_do_stands_beside() -> None:
    (line,) = finding_lines(SUDO, 240)
    assert line.endswith(f"{SUDO.detail}{' ' * (100 - len(SUDO.detail))}  {SUDO.fix}")
    assert list(finding_lines(Finding("line", OK, "fine"), 80)) == [
        "line                       ✓ ok       fine"
    ]


def test_at_80_columns_it_goes_on_below() -> None:
    blank = " " * 38
    assert list(finding_lines(PARTITION, 80)) == [
        f"{'partition':<25}  ✗ failure  The cluster has no partition 'mian': there",
        f"{blank}are main, gpu and short, of which main is",
        f"{blank}the default.",
        f"{blank}fix: Set the partition to one of:",
        f"{blank}main, gpu, short",
        "    field: jobs_runner_config.default_slurm_config.partition of the resource",
    ]


def test_what_can_be_pasted_is_never_broken() -> None:
    pasted = "runyard ALL=(mira) NOPASSWD: /usr/bin/scancel"
    assert list(finding_lines(SUDO, 90))[1:] == [
        f"{' ' * 38}fix: Have an administrator add to sudoers:",
        f"{' ' * 38}{pasted}",
    ]
    assert list(finding_lines(SUDO, 79))[2:] == [f"{' ' * 38}     sudoers:", f"    {pasted}"]
    assert list(finding_lines(SUDO, 40)) == [
        f"{'sudo scancel':<25}  ✗ failure",
        "    scancel may not be run as 'mira'.",
        "    fix: Have an administrator add to",
        "         sudoers:",
        f"    {pasted}",
    ]
    assert copied(SUDO.fix) == "runyard ALL=(mira) NOPASSWD: /usr/bin/scancel"
    assert fix_parts("Do this:\none\ntwo") == ("Do this:", "one\ntwo")
    assert fix_parts("Try again.") == ("Try again.", "")
    assert copied("Try again.") == "Try again."
    assert copied("Set it to one of: main, gpu.") == "main, gpu"
    assert copied("Go to: ..") == ".."


def test_the_field_at_fault_stands_below() -> None:
    folder = Finding("jobs folder", FAILURE, "Full.", "Make room.", of="resource", field="jobs_local_dir")
    assert list(finding_lines(folder, 80))[1:] == [
        f"{' ' * 38}fix: Make room.",
        f"{' ' * 38}field: jobs_local_dir of the resource",
    ]
    assert list(finding_lines(folder, 160))[1:] == [f"{' ' * 38}field: jobs_local_dir of the resource"]


def test_for_programs_a_finding_is_one_line() -> None:
    hostile = Finding("x", WARNING, "a\n\x1b[2Jb", "do:\nthis\nthat")
    assert list(finding_lines(hostile, sys.maxsize)) == [
        "x                          ! warning  a␊␛[2Jb  fix: do:␊this␊that"
    ]


@given(
    st.builds(Finding, st.text(max_size=8), st.sampled_from(FindingState), st.text()), st.integers(20, 200)
)
def test_nothing_acts_on_the_terminal_and_no_line_is_too_long(finding: Finding, width: int) -> None:
    lines = list(finding_lines(finding, width))
    assert all(width_of(line) <= max(width, 31) for line in lines)
    assert not {unicodedata.category(letter) for line in lines for letter in line} & {"Cc", "Cf", "Zl", "Zp"}


@given(st.lists(st.text("abc日", min_size=1, max_size=30), min_size=1), st.integers(20, 119))
def test_nothing_is_cut(words: list[str], width: int) -> None:
    text = " ".join(words)
    lines = "".join(finding_lines(Finding("x", OK, text), width))
    assert lines.partition("✓ ok")[2].replace(" ", "") == text.replace(" ", "")


def test_what_was_asked_and_answered_is_printed_below_what_is_not_ok(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    break_local(home, jobs_local_dir=str(tmp_path / "file" / "jobs"))
    plain_text = runyard("resource", "check", "local", code=1).stdout
    lines = runyard("resource", "check", "local", "--evidence", code=1).stdout.splitlines()
    findings = answer("resource", "check", "local", "--json", code=1)
    faulty = [finding for finding in findings if finding["state"] != "ok" and finding["evidence"]]
    assert faulty
    shown = [f"    {line}".rstrip() for finding in faulty for line in finding["evidence"].splitlines()]
    assert [line for line in lines if line not in plain_text.splitlines()] == shown
    assert lines.index(shown[0]) == 1 + next(
        at for at, line in enumerate(lines) if line.startswith(faulty[0]["check"])
    )
    hostile = Finding("x", WARNING, "", evidence="$ a\x1b[2J\n\n\tb")
    assert list(evidence_lines(hostile)) == ["    $ a␛[2J", "", "    ␉b"]
    assert list(evidence_lines(Finding("x", OK, "", evidence="$ a"))) == []


def test_counts() -> None:
    def of(*states: FindingState) -> list[Finding]:
        return [Finding("x", state, "") for state in states]

    assert summary(of(OK)) == "1 check: 1 ok"
    assert summary(of(OK, OK, WARNING, FAILURE)) == "4 checks: 2 ok, 1 warning, 1 failure"
    assert summary(of(FAILURE, FAILURE, WARNING, WARNING, UNTOLD)) == (
        "5 checks: 2 warnings, 2 failures, 1 could not be told"
    )
    assert summary([]) == "0 checks"
    rest = Finding(REST, UNTOLD, "partition and account were not looked at, because line failed.")
    assert summary([*of(FAILURE), rest]) == "2 checks: 1 failure, 1 could not be told"
