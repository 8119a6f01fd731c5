"""Edits from the shell that were not saved: they come up again, until they are saved or dropped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runners.config.home import Home
from runners.engine.lock import held
from tests.tui.cli_lab import RUNYARD, answer, refusal, runyard
from tests.tui.test_cli_editing import EXPORTED, Editor, editor, left_behind, uzh

__all__ = ["editor", "uzh"]

LIMIT_S = 60.0

CHANGE = """sed -i 's/"1G"/"3G"/' "$1" """
WAIT = """echo $$ > pid; mv pid typed; sleep 600"""
"""What an editor does that has typed all it will, and stays."""


def until(condition: Callable[[], object]) -> None:
    """Wait for that."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "Waited too long."
        time.sleep(0.02)


@contextmanager
def edited(editor: Editor, script: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `runyard` whose editor has done what the *script* says, and stays; all are killed in the end."""
    editor.does(script + "\n" + WAIT)
    typed = editor.folder / "typed"
    typed.unlink(missing_ok=True)
    (editor.folder / "opened").unlink(missing_ok=True)
    process = subprocess.Popen(
        [RUNYARD, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until(lambda: typed.exists() or process.poll() is not None)
        assert process.poll() is None
        yield process
    finally:
        # It leads the session, and is not waited for before: its number can't be another's.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(LIMIT_S)
        (editor.folder / "opened").unlink()
    until(lambda: not any(map(held, Home.from_environment().state.glob("edit-*/.begun"))))


def die(editor: Editor, script: str, *words: str) -> None:
    """An edit whose editor does what the *script* says; then both are killed."""
    with edited(editor, script, *words):
        pass


def sees(editor: Editor, number: int = 1) -> tuple[str, object]:
    """What stood above what the editor was given, and that."""
    lines = editor.given(number).splitlines()
    marks = [line.removeprefix("# ") for line in lines if line.startswith("#")]
    return "\n".join(marks), json.loads("\n".join(line for line in lines if not line.startswith("#")))


CHANGED = json.loads(json.dumps(EXPORTED).replace("1G", "3G"))


def test_an_edit_whose_editor_was_killed_comes_up_again(uzh: Path, editor: Editor) -> None:
    die(editor, CHANGE, "resource", "edit", "uzh")
    (kept,) = left_behind()
    os.utime(kept, (1_000_000_000, 1_000_000_000))
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(1_000_000_000))
    editor.does("""cat "$1" > it; cat it > "$1" """)
    done = runyard("resource", "edit", "uzh")
    assert done.stderr.splitlines()[0] == (
        f"runyard: An edit of the resource uzh from {when} was not saved, so it is opened again; "
        "`runyard resource edit uzh --fresh` drops it."
    )
    told, document = sees(editor)
    assert told.splitlines() == [
        f"This edit of the resource uzh, from {when}, was not saved.",
        "Write it, changed or not, to save it; leave without writing to keep it for later.",
        "`runyard resource edit uzh --fresh` drops it.",
        "Lines that begin with # are taken out.",
    ]
    assert document == CHANGED
    # It was written as it was, and so it is saved.
    assert done.stdout.endswith("The resource uzh has been saved.\n")
    assert json.loads(uzh.read_text()) == CHANGED
    assert not list(Home.from_environment().state.glob("edit-*"))


def test_it_is_kept_until_it_is_written_or_dropped(uzh: Path, editor: Editor) -> None:
    before = uzh.read_bytes()
    die(editor, CHANGE, "resource", "edit", "uzh")
    (kept,) = left_behind()
    written = kept.stat().st_mtime
    for script, told in (
        (
            "true",
            "runyard: The resource uzh is as it was, since the editor wrote nothing. What you typed is in ",
        ),
        ("exit 3", "ended with exit code 3, so nothing was changed."),
    ):
        editor.does(script)
        assert told in runyard("resource", "edit", "uzh", code=2).stderr.splitlines()[1]
        (editor.folder / "opened").unlink()
        assert left_behind() == [kept] and abs(kept.stat().st_mtime - written) < 0.001
        assert sees(editor)[1] == CHANGED
    editor.does("true")
    done = runyard("resource", "edit", "uzh", "--fresh")
    assert "which was not saved, has been dropped." in done.stderr
    assert sees(editor) == ("", EXPORTED)
    assert uzh.read_bytes() == before and not list(Home.from_environment().state.glob("edit-*"))


def test_one_that_is_under_way_is_left_alone(uzh: Path, editor: Editor) -> None:
    with edited(editor, CHANGE, "resource", "edit", "uzh") as process:
        (kept,) = left_behind()
        # The editor goes on without us.
        process.send_signal(signal.SIGKILL)
        until(lambda: os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
        editor.does("", "true")
        done = runyard("resource", "edit", "uzh", "--fresh")
        assert done.stderr == f"runyard: The resource uzh is being edited elsewhere too, in {kept}.\n"
        assert sees(editor, 2) == ("", EXPORTED)
        assert left_behind() == [kept]
    editor.does("")
    assert "was not saved, so it is opened again" in runyard("resource", "edit", "uzh", code=2).stderr
    assert sees(editor)[1] == CHANGED


def test_of_several_the_newest_comes_first(uzh: Path, editor: Editor) -> None:
    die(editor, CHANGE, "resource", "edit", "uzh")
    (first,) = left_behind()
    os.utime(first, (1_000_000_000, 1_000_000_000))
    with edited(editor, """sed -i 's/"3G"/"4G"/' "$1" """, "resource", "edit", "uzh"):
        # One that began while the first was under way.
        second = first.parent.with_name("edit-second")
        second.mkdir()
        (second / ".begun").write_text((first.parent / ".begun").read_text())
        (second / "uzh.json").write_text(first.read_text().replace("4G", "5G"))
    editor.does("true", CHANGE.replace("1G", "5G"), "true")
    runyard("resource", "edit", "uzh", code=2)
    told, document = sees(editor)
    assert "An older one comes up after it, from 20" in told
    assert document == json.loads(json.dumps(EXPORTED).replace("1G", "5G"))
    runyard("resource", "edit", "uzh")
    assert json.loads(uzh.read_text()) == CHANGED
    assert left_behind() == [first]
    runyard("resource", "edit", "uzh", code=2)
    told, document = sees(editor, 3)
    assert "The file was changed since then, which saving may take back: `runyard resource diff uzh " in told
    assert document == json.loads(json.dumps(EXPORTED).replace("1G", "4G"))


def test_one_in_which_nothing_was_typed_is_no_loss(uzh: Path, editor: Editor) -> None:
    die(editor, "true", "resource", "edit", "uzh")
    assert len(left_behind()) == 1
    editor.does("true")
    assert runyard("resource", "edit", "uzh").stderr == ""
    assert not list(Home.from_environment().state.glob("edit-*"))


@pytest.mark.parametrize("died", ['touch "$1.swp"', ': > "$1"; touch "$1.swp"'])
def test_what_the_editor_has_kept_on_its_own_stays_until_something_is_written(
    uzh: Path, editor: Editor, died: str
) -> None:
    before = uzh.read_bytes()
    die(editor, died, "resource", "edit", "uzh")
    (kept,) = left_behind()
    editor.does("true", "exit 1")
    for reason in ("since the editor wrote nothing.", "ended with exit code 1, so nothing was changed."):
        refused = runyard("resource", "edit", "uzh", code=2).stderr
        assert f"{reason} What you typed is in {kept} (uzh.json.swp beside it may hold more), and " in refused
        assert kept.with_name("uzh.json.swp").exists()
    assert "The editor left uzh.json.swp beside it, which may hold more." in editor.given(1)
    editor.does("", "", "cat uzh.json > $1")
    assert "nothing was changed" in runyard("resource", "edit", "uzh").stdout
    assert uzh.read_bytes() == before and not list(Home.from_environment().state.glob("edit-*"))


def test_an_editor_that_fails_may_have_kept_something_on_its_own(uzh: Path, editor: Editor) -> None:
    editor.does("""touch "$1.swp"; kill -9 $$""")
    told = refusal("resource", "edit", "uzh")
    (kept,) = left_behind()
    assert (
        f"was killed by signal 9, so nothing was changed. What you typed is in {kept} (uzh.json.swp" in told
    )
    assert kept.with_name("uzh.json.swp").exists()


def test_an_edit_goes_by_the_new_name(uzh: Path, editor: Editor) -> None:
    die(editor, CHANGE, "resource", "edit", "uzh")
    die(editor, """sed -i 's/"me"/"eve"/' "$1" """, "profile", "edit", "uzh", "me")
    runyard("profile", "rename", "uzh", "me", "you")
    runyard("resource", "rename", "uzh", "eth")
    runyard("resource", "add", "uzh.json")
    runyard("profile", "add", "uzh", "me.json")
    editor.does("true", "true")
    assert runyard("resource", "edit", "uzh").stderr == runyard("profile", "edit", "uzh", "me").stderr == ""
    (editor.folder / "opened").unlink()
    editor.does("""cat "$1" > it; cat it > "$1" """, """cat "$1" > it; cat it > "$1" """)
    assert "An edit of the resource eth from 20" in runyard("resource", "edit", "eth").stderr
    told = runyard("profile", "edit", "eth", "you").stderr
    assert "An edit of the profile you of the resource eth from 20" in told
    assert answer("resource", "export", "eth") == CHANGED
    assert answer("profile", "export", "eth", "you")["username"] == "eve"


def test_with_what_is_removed_go_the_edits_of_it(uzh: Path, editor: Editor) -> None:
    state = Home.from_environment().state
    runyard("profile", "duplicate", "uzh", "me", "you")
    for profile in ("me", "you"):
        die(editor, """sed -i 's/"slurm_ssh"/"local"/' "$1" """, "profile", "edit", "uzh", profile)
    runyard("profile", "remove", "uzh", "me", "--yes")
    assert [kept.name for kept in left_behind()] == ["you.json"]
    die(editor, CHANGE, "resource", "edit", "uzh")
    die(editor, """sed -i 's/"local"/"new"/' "$1" """, "resource", "edit", "local")
    runyard("resource", "remove", "uzh", "--yes")
    assert [kept.name for kept in left_behind()] == ["local.json"]
    assert len(list(state.glob("edit-*"))) == 1


def test_an_edit_that_is_under_way_keeps_its_name(uzh: Path, editor: Editor) -> None:
    with edited(editor, CHANGE, "resource", "edit", "uzh"):
        (kept,) = left_behind()
        runyard("resource", "rename", "uzh", "eth")
        runyard("resource", "add", "uzh.json")
        runyard("resource", "remove", "uzh", "--yes")
        assert left_behind() == [kept]


def test_what_is_wrong_with_it_is_marked(uzh: Path, editor: Editor) -> None:
    die(editor, CHANGE.replace("3G", "3X"), "resource", "edit", "uzh")
    editor.does(CHANGE.replace("1G", "3X"))
    runyard("resource", "edit", "uzh")
    told = editor.given(1)
    assert "# The resource uzh can't be used like this: there is a fault, marked below.\n" in told
    assert "# ^ jobs_runner_config.default_slurm_config.mem must be memory" in told
    assert json.loads(uzh.read_text()) == CHANGED


def test_a_profile_is_no_resource(uzh: Path, editor: Editor) -> None:
    runyard("profile", "duplicate", "uzh", "me", "uzh")
    die(editor, """sed -i 's/"me"/"eve"/' "$1" """, "profile", "edit", "uzh", "uzh")
    editor.does("true", "true", """cat "$1" > it; cat it > "$1" """)
    for words in (("resource", "edit", "uzh"), ("profile", "edit", "uzh", "me")):
        assert runyard(*words).stderr == ""
    done = runyard("profile", "edit", "uzh", "uzh")
    assert "An edit of the profile uzh of the resource uzh from 20" in done.stderr
    assert "`runyard profile edit uzh uzh --fresh` drops it." in done.stderr
    assert answer("profile", "export", "uzh", "uzh")["username"] == "eve"
    assert not list(Home.from_environment().state.glob("edit-*"))


def test_what_was_given_up_comes_up_again_too(uzh: Path, editor: Editor) -> None:
    editor.does(CHANGE.replace("3G", "3X"), "true", CHANGE.replace("1G", "3X"))
    assert "and the next edit opens it again" in refusal("resource", "edit", "uzh")
    runyard("resource", "edit", "uzh")
    assert json.loads(uzh.read_text()) == CHANGED
    assert left_behind() == []


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGTERM])
def test_a_terminal_that_goes_away(uzh: Path, editor: Editor, sent: signal.Signals) -> None:
    with edited(editor, CHANGE, "resource", "edit", "uzh") as process:
        os.killpg(process.pid, sent)
        until(lambda: os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    editor.does(': > "$1"')
    # Who leaves nothing wants nothing of it.
    assert "the editor left nothing" in runyard("resource", "edit", "uzh").stdout
    assert sees(editor)[1] == CHANGED
    assert not list(Home.from_environment().state.glob("edit-*"))
