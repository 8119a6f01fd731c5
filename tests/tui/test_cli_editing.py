"""Changing resources and profiles from the shell: edit, set, diff, rename, duplicate, export, validate."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from runners.config.home import Home
from tests.tui.cli_lab import answer, on_pipes, refusal, runyard
from tests.tui.test_cli_configuring import PROFILE, SLURM

MEM = "jobs_runner_config.default_slurm_config.mem"
EXPORTED: dict[str, Any] = {"id": 3, "timestamp_created": "2025-01-01", **SLURM, "note": {"é": [1.5, None]}}


@pytest.fixture(autouse=True)
def uzh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a resource `uzh`, with a profile `me`, in a home of its own."""
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("uzh.json").write_text(json.dumps(EXPORTED))
    Path("me.json").write_text(json.dumps(PROFILE | {"resource_id": 3}))
    runyard("resource", "add", "uzh.json")
    runyard("profile", "add", "uzh", "me.json")
    return Home.from_environment().resources / "uzh" / "resource.json"


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    return Editor(tmp_path, monkeypatch)


class Editor:
    """An editor that does what a shell script says, another one each time; it keeps what it was given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch

    def does(self, *scripts: str) -> None:
        """In the scripts the file is "$1"."""
        for number, script in enumerate(scripts, 1):
            (self.folder / f"step{number}").write_text(script + "\n")
        program = self.folder / "my editor"
        program.write_text(
            f"""#!/bin/sh
set -e
cd "{self.folder}"
number=$(( $(cat opened 2>/dev/null || echo 0) + 1 ))
echo $number > opened
test "$1" = --wait
shift
cp "$1" given$number
. ./step$number
"""
        )
        program.chmod(0o755)
        self.monkeypatch.setenv("EDITOR", f"'{program}' --wait")

    def given(self, number: int) -> str:
        """What it was given at that time."""
        return (self.folder / f"given{number}").read_text()

    @property
    def opened(self) -> int:
        """How many times."""
        return int((self.folder / "opened").read_text())


def left_behind() -> list[Path]:
    """The files in which edits were kept."""
    return list(Home.from_environment().state.glob("edit-*/**/*.json"))


def test_an_import_is_exported_unchanged(uzh: Path) -> None:
    assert runyard("resource", "export", "uzh").stdout == json.dumps(EXPORTED, indent=2) + "\n"
    assert json.dumps(answer("resource", "export", "uzh", "--json")) == json.dumps(EXPORTED)
    assert answer("profile", "export", "uzh", "me") == PROFILE | {"resource_id": 3}
    told = "runyard: Its profiles are not in it: me; `runyard profile export uzh me` prints one.\n"
    assert runyard("resource", "export", "uzh").stderr == told
    assert runyard("resource", "export", "local").stderr == ""
    assert runyard("profile", "export", "uzh", "me").stderr == ""
    # What show prints has its defaults, and only what the schema knows.
    assert "note" not in answer("resource", "show", "uzh")
    uzh.write_text("{")
    assert "not valid JSON" in refusal("resource", "export", "uzh")


def test_an_edit_is_saved(uzh: Path, editor: Editor) -> None:
    editor.does("""sed -i 's/"1G"/"3G"/' "$1" """)
    told = runyard("resource", "edit", "uzh").stdout.splitlines()
    assert told[0] == "--- uzh (before)" and told[-1] == "The resource uzh has been saved."
    assert [line.split() for line in told[3:-1] if line[0] in "+-"] == [
        ["-", '"mem":', '"1G"'],
        ["+", '"mem":', '"3G"'],
    ]
    assert editor.given(1) == json.dumps(EXPORTED, indent=2, ensure_ascii=False) + "\n"
    # Nothing else has changed, neither an order nor a key.
    assert json.dumps(json.loads(uzh.read_text())) == json.dumps(EXPORTED).replace("1G", "3G")
    assert left_behind() == []
    diff = runyard("resource", "diff", "uzh").stdout
    assert '-      "mem": "1G"' in diff
    assert '+      "mem": "3G"' in diff


def test_visual_comes_before_editor(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    editor.does("")
    monkeypatch.setenv("VISUAL", os.environ["EDITOR"])
    monkeypatch.setenv("EDITOR", "/absent")
    runyard("resource", "edit", "uzh")
    assert editor.opened == 1


@pytest.mark.parametrize(
    "script", ["true", ': > "$1"', 'rm "$1"', """sed -i 's/^ */      /' "$1" """, 'echo "# just so" >> "$1"']
)
def test_an_editor_that_changes_nothing(uzh: Path, editor: Editor, script: str) -> None:
    before = uzh.read_bytes()
    editor.does(script)
    assert "The resource uzh is as it was: " in runyard("resource", "edit", "uzh").stdout
    assert uzh.read_bytes() == before
    assert not uzh.with_name("resource.json~").exists()
    assert left_behind() == []


def test_errors_are_marked_until_there_are_none(uzh: Path, editor: Editor) -> None:
    editor.does(
        """sed -i -e 's/"host": .*/"host": "",/' -e 's/"3.12": ".*"/"3.12": "python"/' """
        """-e '/jobs_local_dir/d' "$1" """,
        # The lines of marks stay: they are taken out for the person.
        """sed -i 's/"host": .*/"host": "h"/' "$1" """,
        """sed -i -e 's/"host": .*/"host": "h", "jobs_local_dir": "\\/j",/' """
        """-e 's/"python"/"\\/python"/' "$1" """,
    )
    assert runyard("resource", "edit", "uzh").stdout.endswith("\nThe resource uzh has been saved.\n")
    second = editor.given(2).splitlines()
    assert second[0] == "# The resource uzh can't be used like this: there are 3 faults, marked below."
    assert second[1].startswith("# Lines that begin with # are taken out.")
    assert second[2] == "{"
    assert second[3] == "# ^ jobs_local_dir is missing"
    assert second[second.index('  "host": "",') + 1] == "  # ^ host must not be empty"
    at = second.index('      "3.12": "python"')
    assert second[at + 1].startswith("      # ^ tasks_python_config.versions.3.12 must be an absolute path")
    third = editor.given(3).splitlines()
    assert "not valid JSON: Expecting ',' delimiter in line " in third[0]
    at = next(number for number, line in enumerate(third) if line.lstrip().startswith("# ^"))
    assert third[at].lstrip().startswith("# ^ Expecting ',' delimiter, in column ")
    assert third[at - 1].lstrip().startswith('"tasks_python_config"')
    # As the editor counts, with the lines above.
    assert f" in line {at}, column " in third[0]
    saved = json.loads(uzh.read_text())
    assert (saved["host"], saved["jobs_local_dir"], saved["id"]) == ("h", "/j", 3)
    assert left_behind() == []


def test_a_key_that_is_there_twice_is_no_slip_to_pass_over(uzh: Path, editor: Editor) -> None:
    editor.does(
        """sed -i 's/"mem": "1G"/"mem": "1G", "mem": "2G"/' "$1" """, """sed -i 's/"mem": "1G",//' "$1" """
    )
    runyard("resource", "edit", "uzh")
    assert f"# ^ {MEM} is there twice" in editor.given(2)
    assert '"2G"' in uzh.read_text()


def test_who_gives_up_keeps_what_was_typed(uzh: Path, editor: Editor) -> None:
    before = uzh.read_bytes()
    editor.does("""sed -i 's/"1G"/"1X"/' "$1" """, "true")
    told = refusal("resource", "edit", "uzh")
    (kept,) = left_behind()
    assert told.startswith(f"The resource uzh is as it was. What you typed is not valid: {MEM} ")
    assert told.endswith(
        f" What you typed is in {kept}, and the next edit opens it again; "
        "`runyard resource edit uzh --fresh` drops it."
    )
    assert '"1X"' in kept.read_text()
    assert uzh.read_bytes() == before


def test_where_json_breaks_is_told_as_the_editor_counts(uzh: Path, editor: Editor) -> None:
    editor.does("""sed -i 's/"host": .*/"host" "h",/' "$1" """, "true", 'touch "$1"', "true")

    def line(number: int) -> int:
        return editor.given(number).splitlines().index('  "host" "h",') + 1

    told = refusal("resource", "edit", "uzh")
    assert f"The text is not valid JSON: Expecting ':' delimiter in line {line(2)}, column 10. " in told
    # More is told above it when it is opened again.
    runyard("resource", "edit", "uzh", code=2)
    assert line(3) > line(2)
    assert f"in line {line(3)}, column 10." in editor.given(3)
    assert f"in line {line(4)}, column 10." in editor.given(4)


def test_an_edit_made_elsewhere_is_not_overwritten(uzh: Path, editor: Editor) -> None:
    theirs = json.dumps(SLURM | {"host": "theirs"})
    editor.does(f"""sed -i 's/"1G"/"3G"/' "$1"; printf '%s' '{theirs}' > '{uzh}'""")
    told = refusal("resource", "edit", "uzh")
    (kept,) = left_behind()
    assert "resource.json was changed elsewhere since it was read, so nothing was written" in told
    assert f" What you typed is in {kept}, and the next edit opens it again; " in told
    assert uzh.read_text() == theirs
    assert json.loads(kept.read_text()) == json.loads(json.dumps(EXPORTED).replace("1G", "3G"))
    # With which one can go on.
    assert '+      "mem": "3G"' in runyard("resource", "diff", "uzh", str(kept)).stdout


@pytest.mark.parametrize("content", ['{"type": "slurm_ssh",\n', "{}", "", None])
def test_a_broken_file_can_be_edited(uzh: Path, editor: Editor, content: str | None) -> None:
    if content is None:
        uzh.unlink()
    else:
        uzh.write_text(content)
    editor.does("true")
    assert "is as it was: " in runyard("resource", "edit", "uzh").stdout
    assert editor.given(1).startswith("# The resource uzh can't be used like this")
    assert uzh.exists() == (content is not None)
    editor.does("true", 'cat uzh.json > "$1"')
    runyard("resource", "edit", "uzh")
    assert json.loads(uzh.read_text()) == EXPORTED


def test_profiles_are_edited_too(editor: Editor) -> None:
    editor.does(
        """sed -i 's/"slurm_ssh"/"local"/' "$1" """,
        """sed -i -e 's/"local"/"slurm_ssh"/' -e 's/"me"/"you"/' "$1" """,
    )
    told = runyard("profile", "edit", "uzh", "me").stdout
    assert told.startswith("--- me (before)\n")
    assert told.endswith("\nThe profile me of the resource uzh has been saved.\n")
    assert "resource_type must be one of" not in editor.given(2)
    assert "# ^ username must be null or absent for this type" in editor.given(2)
    assert answer("profile", "export", "uzh", "me")["username"] == "you"


def test_what_has_no_effect_is_noted_once(editor: Editor) -> None:
    editor.does("""sed -i 's/"host"/"jobs_pol_interval": 3, "host"/' "$1" """)
    done = runyard("resource", "edit", "uzh")
    assert (
        "jobs_pol_interval has no effect, since the schema does not know such a key. It is kept."
        in done.stderr
    )
    # Those that were there before are no slip.
    assert "timestamp_created" not in done.stderr


def test_editors_that_fail(uzh: Path, editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    before = uzh.read_bytes()
    editor.does("exit 3", """sed -i 's/"1G"/"3G"/' "$1"; kill -9 $$""", "exit 3")
    assert "my editor' ended with exit code 3, so nothing was changed." in refusal("resource", "edit", "uzh")
    assert left_behind() == []
    told = refusal("resource", "edit", "uzh")
    assert "was killed by signal 9" in told
    assert '"3G"' in left_behind()[0].read_text()
    runyard("resource", "edit", "uzh", "--fresh", code=None)
    assert left_behind() == []
    for name, reason in (
        ("/absent", "can't be started (No such file"),
        ("'open", "can't be read as a command"),
    ):
        monkeypatch.setenv("EDITOR", name)
        assert reason in refusal("resource", "edit", "uzh")
    monkeypatch.delenv("EDITOR")
    # Editors that nobody has named would wait for ever for somebody to type.
    Path("vi").write_text("#!/bin/sh\nexit 9\n")
    Path("vi").chmod(0o755)
    monkeypatch.setenv("PATH", str(Path.cwd()))
    assert refusal("resource", "edit", "uzh") == (
        "There is no terminal for an editor; set EDITOR to a command that needs none, or change fields with "
        "`runyard resource set uzh`."
    )
    monkeypatch.setenv("PATH", "/absent")
    assert "There is no editor; set EDITOR" in refusal("resource", "edit", "uzh")
    assert uzh.read_bytes() == before


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("exit 1", "ended with exit code 1, so nothing was changed."),
        (': > "$1"; exit 1', "ended with exit code 1, so nothing was changed."),
        ('rm "$1"; kill -9 $$', "was killed by signal 9, so nothing was changed."),
        ('rm "$1"; mkdir "$1"', "that is no file, so nothing was changed."),
        ("", "can't be started (No such file or directory); set EDITOR to another one."),
    ],
)
def test_an_editor_that_fails_later_on_keeps_what_was_typed_before(
    uzh: Path, editor: Editor, failing: str, told: str
) -> None:
    before = uzh.read_bytes()
    first = """sed -i 's/"1G"/"1X"/' "$1" """
    editor.does(first if failing else f"{first}; rm 'my editor'", failing)
    refused = refusal("resource", "edit", "uzh")
    (kept,) = left_behind()
    assert f"{told} What you typed is in {kept}, and the next edit opens it again; " in refused
    assert uzh.read_bytes() == before
    (editor.folder / "opened").unlink()
    editor.does("""sed -i 's/"1X"/"3G"/' "$1" """)
    runyard("resource", "edit", "uzh")
    assert json.loads(uzh.read_text()) == json.loads(json.dumps(EXPORTED).replace("1G", "3G"))
    assert left_behind() == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_an_editor_may_save_in_any_encoding_of_unicode(uzh: Path, editor: Editor, encoding: str) -> None:
    Path("typed").write_text(json.dumps(EXPORTED | {"name": "Zürich"}), encoding=encoding)
    editor.does('cp "$OLDPWD/typed" "$1"')
    assert "has been saved" in runyard("resource", "edit", "uzh").stdout
    assert json.loads(uzh.read_text())["name"] == "Zürich"


def test_what_a_link_leads_to_that_the_editor_left_is_not_written(uzh: Path, editor: Editor) -> None:
    other = Path("other").absolute()
    other.write_text("mine")
    other.chmod(0o644)
    editor.does(f'ln -sf "{other}" "$1"', "true")
    assert "not valid" in refusal("resource", "edit", "uzh")
    assert other.read_text() == "mine" and other.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("left", ["mkfifo", "mkdir"])
def test_what_the_editor_leaves_in_place_of_a_file_is_not_waited_for(
    uzh: Path, editor: Editor, left: str
) -> None:
    before = uzh.read_bytes()
    editor.does(f'rm "$1"; {left} "$1"')
    assert "that is no file, so nothing was changed" in refusal("resource", "edit", "uzh")
    assert uzh.read_bytes() == before and not list(Home.from_environment().state.glob("edit-*"))


def test_an_editor_that_removes_the_folder_leaves_nothing(uzh: Path, editor: Editor) -> None:
    editor.does('rm -r "$(dirname "$1")"')
    assert "left nothing" in runyard("resource", "edit", "uzh").stdout


def test_a_file_that_can_not_be_written_keeps_what_was_typed(uzh: Path, editor: Editor) -> None:
    editor.does("""sed -i 's/"1G"/"3G"/' "$1" """)
    # As root too: the folder has gone.
    editor.does(f"""sed -i 's/"1G"/"3G"/' "$1"; mv '{uzh.parent}' away""")
    told = refusal("resource", "edit", "uzh")
    assert "The resource uzh was removed or renamed elsewhere since it was read" in told
    assert '"3G"' in left_behind()[0].read_text()


def test_fields_are_set_and_unset(uzh: Path) -> None:
    done = runyard("resource", "set", "uzh", f"{MEM}=3G", "jobs_runner_config.gpu_slurm_config.partition=gpu")
    assert '-      "mem": "1G"' in done.stdout
    assert done.stdout.endswith("The resource uzh has been saved.\n")
    expected = json.loads(json.dumps(EXPORTED).replace("1G", "3G"))
    expected["jobs_runner_config"]["gpu_slurm_config"] = {"partition": "gpu"}
    assert json.dumps(json.loads(uzh.read_text())) == json.dumps(expected)
    for assignment, value in {
        "host=null": "null",
        "tasks_python_config.versions.3.13=/usr/bin/python3.13": "/usr/bin/python3.13",
        'jobs_runner_config.default_slurm_config.extra_lines=["#SBATCH -v"]': ["#SBATCH -v"],
        "jobs_runner_config.default_slurm_config.extra_lines.1=#SBATCH -Q": ["#SBATCH -v", "#SBATCH -Q"],
        "jobs_runner_config.default_slurm_config.extra_lines.0=123": ["123", "#SBATCH -Q"],
        "jobs_runner_config.default_slurm_config.account=123": "123",
        "jobs_runner_config.default_slurm_config.gres=null": None,
        "jobs_runner_config.default_slurm_config.cpus_per_task=4": 4,
        "jobs_runner_config.user_local_exports.A=b.c": "b.c",
        "prevent_new_submissions=true": True,
        "note.é.0=x=y": ["x=y", None],
    }.items():
        path = assignment.partition("=")[0]
        if value == "null":
            assert "host must be text" in refusal("resource", "set", "uzh", assignment)
            continue
        runyard("resource", "set", "uzh", assignment)
        assert value in _values(json.loads(uzh.read_text()), path.split(".")), assignment
    runyard("resource", "set", "uzh", "--unset", "jobs_runner_config.gpu_slurm_config", "--unset", "note")
    saved = json.loads(uzh.read_text())
    assert "gpu_slurm_config" not in saved["jobs_runner_config"]
    assert "note" not in saved
    assert "is like that already" in runyard("resource", "set", "uzh", f"{MEM}=3G").stdout


def _values(tree: Any, parts: list[str]) -> list[Any]:
    """All that is on the way along a path, whose last parts may be one key with dots."""
    seen = [tree]
    for number, part in enumerate(parts):
        if not isinstance(tree, dict):
            break
        tree = tree[part] if part in tree else tree[".".join(parts[number:])]
        seen.append(tree)
    return seen


def test_a_dry_run_changes_nothing(uzh: Path) -> None:
    before = uzh.read_bytes()
    done = runyard("resource", "set", "uzh", "--dry-run", f"{MEM}=3G")
    assert '+      "mem": "3G"' in done.stdout
    assert done.stdout.endswith("The resource uzh is as it was: this was a dry run.\n")
    assert uzh.read_bytes() == before
    assert f"{MEM} " in refusal("resource", "set", "uzh", "--dry-run", f"{MEM}=3X")


def test_what_is_broken_can_be_set_right(uzh: Path) -> None:
    uzh.write_text(json.dumps(EXPORTED | {"host": 3}))
    runyard("resource", "set", "uzh", "host=h")
    assert json.loads(uzh.read_text()) == EXPORTED | {"host": "h"}


def test_a_profile_is_set() -> None:
    runyard("profile", "set", "uzh", "me", "username=bob", "pixi_cache_dir=/c")
    assert answer("profile", "export", "uzh", "me")["username"] == "bob"
    runyard("profile", "set", "uzh", "me", "--unset", "pixi_cache_dir")
    assert answer("profile", "export", "uzh", "me") == PROFILE | {"resource_id": 3, "username": "bob"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["uzh"], "with --unset PATH; `runyard resource set --help` shows how it is used."),
        (["uzh", "host=a", "port"], "host=login.uzh.ch; `runyard resource set --help` shows how"),
        (["uzh", "--nonsense"], "unrecognized arguments: --nonsense; `runyard resource set --help`"),
        (["uzh", "host"], "host is no assignment: it must be PATH=VALUE"),
        (["uzh", "=x"], "is no assignment"),
        (["uzh", "hots=x"], "There is no field hots: hots is not known here; did you mean host?"),
        (["uzh", "host.a=x"], "There is no field host.a: host holds no fields."),
        (
            ["uzh", "mem=3G"],
            f"mem is not known here; did you mean {MEM}, tasks_pixi_config.SLURM_CONFIG.mem or "
            "jobs_runner_config.gpu_slurm_config.mem?",
        ),
        (
            ["uzh", "default_slurm_config.mem=3G"],
            f"default_slurm_config is not known here; did you mean {MEM}?",
        ),
        (
            ["uzh", "--unset", "jobs_runner_config.max_num_jobs"],
            "max_num_jobs is not known here; did you mean jobs_runner_config.batching_config.max_num_jobs?",
        ),
        (["uzh", "jobs_runner_config.x=1"], "x is not known here; there are: default_slurm_config, "),
        (["uzh", "jobs_runner_config.default_slurm_config.extra_lines.1=a"], "here 0 to 0, not 1"),
        (
            ["uzh", f"jobs_runner_config.default_slurm_config.extra_lines.{'9' * 5000}=a"],
            "a list has numbers",
        ),
        (["uzh", "--unset", "jobs_poll_interval"], "jobs_poll_interval is not set, so it can't be unset."),
        (["uzh", "--unset", "host"], "resource.json: host is missing."),
        (["uzh", "type=slurm_sudo"], "host must be null or absent for this type"),
        (["uzh", "type=cloud"], "type must be one of local, slurm_sudo, slurm_ssh"),
    ],
)
def test_what_can_not_be_set(uzh: Path, words: list[str], reason: str) -> None:
    before = uzh.read_bytes()
    assert reason in refusal("resource", "set", *words)
    assert uzh.read_bytes() == before


def test_differences(uzh: Path) -> None:
    assert "No version before the present one is kept" in refusal("resource", "diff", "uzh")
    assert runyard("resource", "diff", "uzh", "uzh.json").stdout == ""
    assert answer("resource", "diff", "uzh", "uzh.json", "--json") == {"different": False, "difference": []}
    Path("other.json").write_text(json.dumps(EXPORTED | {"host": "\x1b[31m"}))
    shown = runyard("resource", "diff", "uzh", "other.json").stdout
    assert shown.startswith("--- uzh")
    assert '-  "host": "login.example.org",' in shown
    assert "\x1b" not in shown
    uzh.write_text("{\n")
    assert answer("resource", "diff", "uzh", "uzh.json", "--json")["different"]
    assert "No such file" in refusal("profile", "diff", "uzh", "me", "absent.json")


def test_all_faults_are_told_line_by_line() -> None:
    faulty = EXPORTED | {"host": "", "jobs_poll_interval": -1, "name": "a\x1b[31m"}
    del faulty["jobs_local_dir"]
    Path("faulty.json").write_text(json.dumps(faulty))
    done = runyard("resource", "validate", "faulty.json", code=2)
    assert sorted(done.stdout.splitlines()) == [
        "faulty.json: host must not be empty",
        "faulty.json: jobs_local_dir is missing",
        "faulty.json: jobs_poll_interval must be 0 or more",
    ]
    assert done.stderr == "runyard: faulty.json is not a valid resource: 3 faults.\n"
    told = answer("resource", "validate", "faulty.json", "--json", code=2)
    assert (told["valid"], told["unknown"]) == (False, ["id", "timestamp_created", "note"])
    assert {"field": "host", "message": "must not be empty"} in told["faults"]
    done = runyard("resource", "validate", "uzh.json")
    assert done.stdout == "uzh.json is a valid resource.\n"
    assert done.stderr.startswith(
        "runyard: id, timestamp_created, note have no effect, since the schema does "
    )
    assert "type must be one of" in runyard("resource", "validate", "me.json", code=2).stdout
    assert "me.json: resource_type must" not in runyard("profile", "validate", "me.json").stdout
    Path("twice.json").write_text(json.dumps(SLURM).replace('"host":', '"host": 1, "host":'))
    assert runyard("resource", "validate", "twice.json", code=2).stdout == "twice.json: host is there twice\n"
    Path("cut.json").write_text("{")
    assert runyard("profile", "validate", "cut.json", code=2).stdout.startswith(
        "cut.json: this is not valid JSON: Expecting property name"
    )
    assert answer("profile", "validate", "cut.json", "--json", code=2)["faults"][0]["field"] == ""


def test_names_are_given_and_copies_made(uzh: Path) -> None:
    assert "is there as two too, with its profiles." in runyard("resource", "duplicate", "uzh", "two").stdout
    runyard("resource", "duplicate", "uzh", "three", "--without-profiles")
    told = runyard("resource", "rename", "two", "2").stdout
    assert told == "The resource two is called 2 from now on.\n"
    listed = [(found["resource"], found["name"]) for found in answer("profile", "list", "--json")]
    assert listed == [("2", "me"), ("uzh", "me")]
    runyard("profile", "duplicate", "uzh", "me", "bob")
    runyard("profile", "rename", "uzh", "bob", "eve")
    assert [found["name"] for found in answer("profile", "list", "uzh", "--json")] == ["eve", "me"]
    assert answer("resource", "export", "2") == EXPORTED | {"name": "2"}
    assert answer("profile", "export", "uzh", "eve")["name"] == "eve"
    assert "There is already a resource three" in refusal("resource", "rename", "2", "three")
    assert "There is already a resource three" in refusal("resource", "duplicate", "2", "three")
    assert "has a profile me already" in refusal("profile", "rename", "uzh", "eve", "me")
    assert "There is no resource named two" in refusal("resource", "rename", "two", "x", code=3)
    assert "The resource local can't be renamed" in refusal("resource", "rename", "local", "x")
    assert "cannot be named" in refusal("resource", "duplicate", "uzh", ".x")


def test_what_live_runs_use_keeps_its_name(home: Home, editor: Editor) -> None:
    Path("me.json").write_text(json.dumps({"resource_type": "local", "name": "me"}))
    runyard("resource", "duplicate", "local", "other")
    runyard("profile", "add", "other", "me.json")
    runyard("profile", "duplicate", "other", "me", "you")
    words = ("run", "--resource", "other", "--profile", "me", "--json", "--", "sleep", "20")
    run = answer(*words)["run"]
    assert f"renamed while run {run} is on it" in refusal("resource", "rename", "other", "new")
    assert f"renamed while run {run} is on it" in refusal("profile", "rename", "other", "me", "new")
    assert f"removed while run {run} is on it" in refusal("profile", "remove", "other", "me")
    # It may be edited, but not without a word.
    reached = "runyard: 1 live run is on it: it is reached by what is saved here from now on.\n"
    assert runyard("profile", "set", "other", "me", "name=eve", "--dry-run").stderr == reached
    assert runyard("resource", "set", "other", "jobs_poll_interval=2").stderr == reached
    assert runyard("profile", "set", "other", "you", "name=eve").stderr == ""
    editor.does("""sed -i 's/"me"/"eve"/' "$1" """)
    assert runyard("profile", "edit", "other", "me").stderr == reached
    # One that it does not use is free.
    runyard("profile", "rename", "other", "you", "new")
    runyard("cancel", run)
    runyard("wait", run, code=1)
    runyard("profile", "remove", "other", "me", "--yes")
    runyard("resource", "rename", "other", "new")


def test_an_editor_has_the_terminal_and_ctrl_c(uzh: Path, editor: Editor) -> None:
    editor.does("""kill -INT $PPID; sleep 0.1; sed -i 's/"1G"/"3G"/' "$1" """)
    done = on_pipes("resource", "edit", "uzh")
    assert done.returncode == 0
    assert done.stdout.endswith("\nThe resource uzh has been saved.\n")


def test_the_help_has_examples() -> None:
    for verb in ("export", "edit", "set", "diff", "rename", "duplicate", "remove", "template"):
        for what in ("resource", "profile"):
            done = on_pipes(what, verb, "--help")
            assert done.returncode == 0
            assert "examples:\n  " in done.stdout
            assert max(map(len, done.stdout.splitlines())) <= 100
