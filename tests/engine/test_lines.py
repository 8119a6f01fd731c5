"""Profiles that reach the same host as the same user, each with a key of its own."""

import subprocess
from pathlib import Path

import pytest

from runners.config.files import read_profile, write_profile
from runners.states import State
from tests.engine.clusters import ClusterLab
from tests.engine.lab import shell
from tests.lab.runyard_home import PROFILE
from tests.waiting import until

pytestmark = pytest.mark.parametrize("cluster", ["lab-ssh"], indirect=True)

OTHER = "other"


@pytest.fixture
def key(cluster: ClusterLab, tmp_path: Path) -> str:
    """Of the profile `other`: nobody is let in with it."""
    path = tmp_path / "otherkey"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    profile = read_profile(cluster.home.resources, cluster.resource, PROFILE).value
    profile = profile.model_copy(update={"ssh_key_path": str(path)})
    write_profile(cluster.home.resources, cluster.resource, OTHER, profile, None)
    return str(path)


def standing(cluster: ClusterLab) -> dict[str, bool | None]:
    return {place.profile: place.up for place in cluster.store.places()}


async def test_a_key_that_is_not_let_in_says_nothing_of_another(cluster: ClusterLab, key: str) -> None:
    async with cluster.hosted():
        assert (await cluster.client.connect(cluster.resource, PROFILE)).up
        line = await cluster.client.connect(cluster.resource, OTHER)
        assert line.up is False and "otherkey" in line.trouble
        await until(lambda: standing(cluster) == {PROFILE: True, OTHER: False})
        assert (await cluster.client.connect(cluster.resource, PROFILE)).up
        assert standing(cluster) == {PROFILE: True, OTHER: False}
        trouble = {place.profile: place.trouble for place in cluster.store.places()}
        assert trouble[PROFILE] == "" and "otherkey" in trouble[OTHER]


async def test_who_is_not_let_in_keeps_nobody_else_from_working(cluster: ClusterLab, key: str) -> None:
    async with cluster.hosted():
        there = {**cluster.there, "profile": OTHER}
        locked_out = await cluster.launch(shell("true"), items="a", **there)
        assert "otherkey" in await until(lambda: cluster.run(locked_out).reason, 40.0)
        run = await cluster.launch(shell("true"), items="a", **cluster.there)
        assert (await cluster.ended(run, 60.0)).state is State.DONE
        assert standing(cluster) == {PROFILE: True, OTHER: False}
        # With the right key it goes on at once, over the line that there is.
        folder = cluster.home.resources
        right = read_profile(folder, cluster.resource, PROFILE).value
        stored = read_profile(folder, cluster.resource, OTHER)
        write_profile(folder, cluster.resource, OTHER, right, stored.fingerprint)
        assert (await cluster.client.connect(cluster.resource, OTHER)).up
        assert (await cluster.ended(locked_out, 60.0)).state is State.DONE
        assert standing(cluster) == {PROFILE: True, OTHER: True}
        assert cluster.sessions() == 1
