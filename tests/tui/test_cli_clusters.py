"""Commands about clusters: what they show, and the connection that asks in the terminal."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from runners.batches import Line
from runners.config.home import Home
from runners.engine.client import EngineError
from runners.engine.lock import Lock
from runners.store.writer import Writer
from runners.transport.questions import Kind, Prompt, Question, Questions
from tests.clusters import add_cluster
from tests.tui import slurm_story
from tests.tui.cli_lab import LIMIT_S, RUNYARD, answer, on_terminal, refusal, runyard
from tests.tui.slurm_story import ALPS, ETNA, HELD, HELD_BACK, LOST, RUN
from tests.tui.stage import make_home

AGAIN = f"runyard retry {RUN} --mem 5G"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with work on clusters, and what looks like an engine."""
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path))
    home = make_home(tmp_path, slurm_story.clusters)
    add_cluster(home, "alps", "slurm_ssh")
    add_cluster(home, "etna", "slurm_ssh")
    lock = Lock.take(home.lock)
    yield home
    lock.release()


@pytest.mark.usefixtures("home")
def test_commands_are_listed_with_their_reply() -> None:
    lines = runyard("commands").stdout.splitlines()
    assert len(lines) == 12 and lines[0].split() == ["time", "result", "took", "on", "command", "reply"]
    sbatch = next(line for line in lines if "79903" in line)
    assert "✗ exit 1" in sbatch and "21 ms" in sbatch
    assert sbatch.endswith("submission failed: Job violates accounting/QOS policy")
    etna = next(line for line in lines if "Welcome" in line)
    assert etna.endswith("␛[31mWelcome to [bold]etna[/]␛[0m")


@pytest.mark.usefixtures("home")
def test_commands_of_one_resource_or_only_those_that_failed() -> None:
    assert {row["place"] for row in answer("commands", "--resource", "etna", "--json")} == {ETNA}
    assert [row["code"] for row in answer("commands", "--failed", "--json")] == [1, None]
    assert [row["place"] for row in answer("commands", "--failed", "--resource", "alps", "--json")] == [ALPS]
    assert answer("commands", "--resource", "alps", "--profile", "nobody", "--json") == []
    told = runyard("commands", "--resource", "alps", "--profile", "nobody").stdout
    assert told == "No command was run on alps as nobody so far.\n"


@pytest.mark.usefixtures("home")
def test_commands_of_what_is_not_there() -> None:
    assert refusal("commands", "--resource", "nonesuch", code=3).startswith(
        "There is no resource named nonesuch"
    )
    assert refusal("commands", "--profile", "mira").startswith("--profile goes with --resource")


def test_only_the_newest_commands_unless_all_are_asked_for(home: Home) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        for _ in range(7):
            change.add_commands(slurm_story.COMMANDS)
    writer.close()
    lines = runyard("commands").stdout.splitlines()
    assert len(lines) == 52 and lines[0] == "38 older ones: runyard commands --all"
    assert len(runyard("commands", "--all").stdout.splitlines()) == 89
    assert len(answer("commands", "--json")) == 88


def test_commands_before_anything_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path / "nothing"))
    assert runyard("commands").stdout == "No command was run on a cluster so far.\n"
    assert answer("commands", "--json") == []
    assert "nothing has been run yet" in refusal("commands", "-f")
    assert list(tmp_path.iterdir()) == []


def test_commands_are_followed(home: Home) -> None:
    with subprocess.Popen(
        [RUNYARD, "commands", "-f", "--json", "--failed"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert [json.loads(process.stdout.readline())["code"] for _ in range(2)] == [1, None]
            writer = Writer.open(home.database)
            with writer.change() as change:
                change.add_commands(slurm_story.COMMANDS)
            writer.close()
            assert json.loads(process.stdout.readline())["code"] == 1
        finally:
            # Or a test that has failed would wait for it for ever.
            process.terminate()
        process.wait(LIMIT_S)


@pytest.mark.usefixtures("home")
def test_commands_fit_into_a_terminal() -> None:
    lines = on_terminal("commands", columns=100).splitlines()
    assert max(map(len, lines)) <= 100
    assert not any("\x1b" in line for line in lines)


@pytest.mark.usefixtures("home")
def test_ps_tells_why_runs_do_not_go_on() -> None:
    lines = runyard("ps").stdout.splitlines()
    assert f"{HELD}  {HELD_BACK}" in lines
    assert any(
        line.startswith(f"{LOST}  etna can't be reached: No answer from etna.example") for line in lines
    )
    assert not any(line.startswith(f"{RUN}  alps") for line in lines)


def test_ps_tells_how_to_answer_a_question(home: Home) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.keep_place("alps", "mira", ALPS, Line(None), now=0, questions=1)
    writer.close()
    asks = "alps asks something before it can be reached: `runyard resource connect alps` shows what."
    assert f"{RUN}  {asks}" in runyard("ps").stdout


@pytest.mark.usefixtures("home")
def test_show_tells_what_the_scheduler_says() -> None:
    text = runyard("show", RUN).stdout
    assert "resource   alps as mira" in text and "reached    up, 24 ms" in text
    assert "partition  long, main" in text
    lines = text.splitlines()
    (header,) = [line for line in lines if line.startswith("batch")]
    assert header.split()[-6:] == ["slots", "id", "elapsed", "limit", "on", "reason"]
    assert any(
        "✗ failed" in line and "40116" in line and line.endswith("reached 3.1 GB") and "cn09" in line
        for line in lines
    )
    assert any("↻ requeued" in line and line.endswith("put back into the queue") for line in lines)
    assert any("40120" in line and line.endswith("waiting for free nodes") for line in lines)
    assert "reached    unreachable, stale, as of 2026" in runyard("show", LOST).stdout
    assert f"pending: {HELD_BACK}" in runyard("show", HELD).stdout


@pytest.mark.usefixtures("home")
def test_show_as_json_has_what_the_scheduler_says() -> None:
    shown = answer("show", RUN, "--json")
    assert shown["reached"]["round_trip_s"] == 0.024
    batch = shown["batches"][7]
    told = {
        key: batch[key] for key in ("scheduler_state", "scheduler_reason", "nodes", "limit_s", "job_since")
    }
    assert told == {
        "scheduler_state": "PENDING",
        "scheduler_reason": "Priority",
        "nodes": 1,
        "limit_s": 7200.0,
        "job_since": None,
    }
    assert answer("show", "7w2mh4ze", "--json")["reached"] is None


@pytest.mark.usefixtures("home")
def test_show_tells_each_cause_once_and_what_to_do() -> None:
    lines = runyard("show", RUN).stdout.splitlines()
    waits = lines.index("why batches wait:")
    assert lines[waits + 1] == "  2 batches: Waiting for jobs with higher priority."
    assert lines[waits + 2].endswith(" SLURM's own estimate: squeue --start -j 40121")
    failed = lines.index("why tasks failed, and what to do:")
    assert lines[failed + 1] == "  1 task: The memory was not enough: asked 2 GB, reached 3.1 GB."
    assert lines[failed + 2].endswith(f"Try more memory; how much is not known: {AGAIN}")
    held = runyard("show", HELD).stdout.splitlines()
    assert held[held.index("why it does not go on:") + 2].endswith(": squeue --me")


@pytest.mark.usefixtures("home")
def test_json_has_why_and_remedy() -> None:
    shown = answer("show", RUN, "--json")
    assert shown["why"] == "The memory was not enough: asked 2 GB, reached 3.1 GB."
    assert shown["batches"][2]["remedy"] == shown["remedy"]
    assert shown["batches"][7]["why"] == "Waiting for jobs with higher priority."
    assert (shown["batches"][0]["why"], shown["batches"][0]["remedy"]) == ("", "")
    (task,) = answer("tasks", RUN, "--state", "failed", "--json")
    assert (task["why"], task["remedy"]) == (shown["why"], shown["remedy"])
    assert answer("tasks", RUN, "--state", "running", "--json")[0]["why"] == ""


def test_thousands_of_tasks_tell_each_cause_once(home: Home) -> None:
    writer = Writer.open(home.database)
    tasks = {"state": "failed", "batch": None}
    with writer.change() as change:
        change.update("tasks", {"run": RUN}, {**tasks, "reason": "exit code 127"})
        for index, peak in enumerate((100, 3000, 200)):
            reason = f"out of memory: asked 100 MB, reached {peak} MB"
            change.update("tasks", {"run": RUN, "index": index}, {"reason": reason})
        change.update("tasks", {"run": RUN, "index": 9}, {"reason": "\x1b[2J"})
        change.recount(RUN)
    writer.close()
    lines = runyard("tasks", RUN).stdout.splitlines()
    told = lines[lines.index("why tasks failed, and what to do:") + 1 :]
    assert told[0] == "  496 tasks: A command of it is not found (exit code 127)."
    # What helps the one that needs most helps all.
    assert told[2] == "  3 tasks: The memory was not enough: asked 100 MB, reached 100 to 3000 MB."
    assert told[3].endswith(f": {AGAIN}")
    assert len(told) == 4


def test_a_plan_names_the_project_folder(home: Home) -> None:
    arguments = ("--resource", "alps", "--folder", "/project/x", "--", "true")
    text = runyard("plan", *arguments).stdout
    assert "project   /project/x" in text and "    #SBATCH --output=/project/x/" in text
    assert "worker.py" not in text
    plan = answer("plan", "--json", *arguments)
    assert (plan["folder"], plan["workdir"], plan["profile"]) == ("/project/x", "", "me")
    (step,) = plan["steps"]
    assert step["script"].startswith("#!/") and "\n#SBATCH --partition=main\n" in step["script"]
    assert "must be an absolute path on the cluster" in refusal(
        "plan", "--resource", "alps", "--folder", "x", "--", "true"
    )


PHRASE = (Kind.PASSPHRASE, "The key /k is locked.", (Prompt("Passphrase [b]\x1b:", False),))
HOST = (Kind.HOST_KEY, "alps was never seen.\nSHA256:abc\x1b[2J", ())


class Cluster:
    """An engine that asks *questions* before it is connected, as the real one does."""

    def __init__(self, home: Home, *questions: tuple[Kind, str, tuple[Prompt, ...]]) -> None:
        self.home = home
        self.wanted = questions
        self.given: list[Sequence[str] | None] = []
        self._questions = Questions(patience_s=20.0)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, home: Home) -> Cluster:
        return self

    async def connect(self, resource: str, profile: str | None) -> Line:
        self._loop = asyncio.get_running_loop()
        for kind, text, prompts in self.wanted:
            writer = Writer.open(self.home.database)
            with writer.change() as change:
                change.keep_place(resource, profile, "ssh:me@alps", Line(None), now=0, questions=1)
            writer.close()
            try:
                self.given.append(await self._questions.ask("ssh:me@alps", kind, text, prompts))
            except Exception:
                self.given.append(None)
                return Line(False, None, "Nobody answered.")
        if profile != "me":
            raise EngineError("There is no such profile.")
        return Line(True, 0.0244)

    async def questions(self) -> list[Question]:
        return self._questions.open()

    async def answer(self, number: int, answers: Sequence[str] | None) -> bool:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._questions.answer, number, answers)
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What a person at a terminal is asked, and whether it may be seen; they type the word in turn."""
    asked: list[tuple[str, bool]] = []
    words = iter(["maybe", "yes", "open sesame"])

    def ask(label: str, *, echo: bool) -> str:
        asked.append((label, echo))
        return next(words)

    monkeypatch.setattr("tui.output.asked", ask)
    monkeypatch.setattr("tui.output.can_ask", lambda: True)
    return asked


def test_connecting_asks_in_the_terminal(
    home: Home, typed: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(home, HOST, PHRASE)
    monkeypatch.setattr("tui.verbs.connecting.EngineClient", cluster)
    done = runyard("resource", "connect", "alps")
    assert done.stdout == "alps as me is up, 24 ms.\n"
    assert cluster.given == [[], ["open sesame"]]
    assert typed == [("Accept it? (yes/no)", True)] * 2 + [("Passphrase [b]\x1b:", False)]
    assert "runyard: alps was never seen.\nrunyard: SHA256:abc␛[2J\n" in done.stderr


def test_connecting_without_a_terminal_is_refused_in_a_sentence(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.verbs.connecting.EngineClient", Cluster(home, HOST))
    assert refusal("resource", "connect", "alps") == (
        "alps asks something and there is no terminal to answer in: run `runyard resource connect alps` in "
        "one, or open the dashboard."
    )


def test_who_interrupts_a_question_refuses_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(home, PHRASE)
    monkeypatch.setattr("tui.verbs.connecting.EngineClient", cluster)
    monkeypatch.setattr("tui.output.can_ask", lambda: True)

    def interrupt(label: str, *, echo: bool) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("tui.output.asked", interrupt)
    assert runyard("resource", "connect", "alps", code=130).stdout == ""


def test_connecting_tells_why_it_fails(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Cluster):
        async def connect(self, resource: str, profile: str | None) -> Line:
            return Line(False, None, "No route to cluster.invalid.")

    monkeypatch.setattr("tui.verbs.connecting.EngineClient", Gone(home))
    told = refusal("resource", "connect", "alps", code=4)
    assert told == "alps as me can't be reached: No route to cluster.invalid."
    assert "is this machine" in refusal("resource", "connect", "local")
    assert "There is no resource named x" in refusal("resource", "connect", "x", code=3)
    assert "no profile" in refusal("resource", "connect", "alps", "--profile", "you", code=3)
