"""What the engine needs a person for: it is asked over the socket, and the answers stay in its memory."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from runners.config.files import read_profile, write_profile
from runners.engine.client import EngineError
from runners.states import State
from runners.transport.questions import Kind, Question
from tests.engine.clusters import ClusterLab
from tests.engine.lab import Lab, shell, step
from tests.lab.runyard_home import PROFILE
from tests.waiting import until

over_ssh = pytest.mark.parametrize("cluster", ["lab-ssh"], indirect=True)

SECRET = "correct horse battery"


async def asked(cluster: ClusterLab) -> Question:
    """The one question that is open, once it shows in the store as well."""
    await until(lambda: [place for place in cluster.store.places() if place.question == 1])
    (question,) = await cluster.client.questions()
    return question


def lock_key(cluster: ClusterLab, folder: Path) -> None:
    """From now on the profile's key wants a passphrase."""
    stored = read_profile(cluster.home.resources, cluster.resource, PROFILE)
    key = folder / "key"
    shutil.copy(str(stored.value.ssh_key_path), key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", SECRET, "-f", str(key)], check=True)
    changed = stored.value.model_copy(update={"ssh_key_path": str(key)})
    write_profile(cluster.home.resources, cluster.resource, PROFILE, changed, stored.fingerprint)


@over_ssh
async def test_a_host_that_is_new_is_accepted_by_a_person(cluster: ClusterLab) -> None:
    cluster.home.known_hosts.unlink()
    async with cluster.hosted():
        line = asyncio.create_task(cluster.client.connect(cluster.resource, PROFILE))
        question = await asked(cluster)
        assert (question.kind, question.prompts) == (Kind.HOST_KEY, ())
        assert "SHA256:" in question.text
        assert not await cluster.client.answer(question.id + 1, [])
        assert await cluster.client.answer(question.id, [])
        assert (await line).up
        assert await cluster.client.questions() == []
        await until(lambda: [place.question for place in cluster.store.places()] == [0])
    assert cluster.home.known_hosts.exists()


@over_ssh
async def test_a_run_waits_for_a_passphrase_that_nobody_else_ever_sees(
    cluster: ClusterLab, tmp_path: Path
) -> None:
    lock_key(cluster, tmp_path)
    await cluster.start_engine()
    run = await cluster.launch(shell("echo {index} >>ran"), items="ab", **cluster.there)
    question = await asked(cluster)
    assert question.kind is Kind.PASSPHRASE
    assert [prompt.echo for prompt in question.prompts] == [False]
    assert (await cluster.ended(await cluster.launch(step("true"), items="a"))).state is State.DONE
    assert await cluster.client.answer(question.id, [SECRET])
    assert (await cluster.ended(run, 60.0)).state is State.DONE
    await cluster.client.stop()
    kept = b"".join(path.read_bytes() for path in cluster.home.state.iterdir() if path.is_file())
    assert run.encode() in kept
    assert SECRET.encode() not in kept


@over_ssh
async def test_a_question_that_is_refused_is_the_reason_why_a_run_waits(
    cluster: ClusterLab, tmp_path: Path
) -> None:
    lock_key(cluster, tmp_path)
    async with cluster.hosted():
        run = await cluster.launch(shell("true"), items="ab", **cluster.there)
        assert await cluster.client.answer((await asked(cluster)).id, None)
        assert "refused to answer" in await until(lambda: cluster.run(run).reason)
        # It is tried again, and the person left alone.
        await asyncio.sleep(2.5)
        assert await cluster.client.questions() == []
        line = asyncio.create_task(cluster.client.connect(cluster.resource, PROFILE))
        assert await cluster.client.answer((await asked(cluster)).id, [SECRET])
        assert (await line).up
        # What waited for it goes on at once.
        assert (await cluster.ended(run, 30.0)).state is State.DONE


async def test_questions_of_an_engine_that_was_killed_are_not_open_any_more(lab: Lab) -> None:
    with lab.store.change() as change:
        values = {"resource": "far", "profile": "me", "place": "ssh:me@far", "trouble": "", "question": 2}
        change.insert("places", values)
    async with lab.hosted():
        await until(lambda: lab.store.places()[0].question == 0)
        assert await lab.client.questions() == []
        assert not await lab.client.answer(1, ["x"])


async def test_connecting_to_what_is_not_there_is_one_sentence(lab: Lab) -> None:
    async with lab.hosted():
        with pytest.raises(EngineError, match=r"^There is no resource named far; there are: local\.$"):
            await lab.client.connect("far", "me")
        assert (await lab.client.connect("local", None)).up
    with pytest.raises(EngineError, match="No engine is running"):
        await lab.client.connect("local", None)
