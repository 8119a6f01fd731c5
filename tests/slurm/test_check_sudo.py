"""Check of the way through sudo: each fault by the one finding that names it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lab.accounts import ALLOWED, sudoers
from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster
from tests.slurm.findings import OK, fault, found, pasted, rest

pytestmark = pytest.mark.usefixtures("no_jobs_folder")


@pytest.mark.parametrize("name", ["nobody-of-this-name", "root", "a b", "-n"])
async def test_a_user_whom_nobody_acts_for(through_sudo: Callable[..., Cluster], name: str) -> None:
    cluster = through_sudo(profile_changes={"username": name})
    finding = await fault(cluster, "user")
    assert (finding.of, finding.field) == ("profile", "username")
    assert name in finding.detail
    assert "sudo sbatch" in rest(await found(cluster))
    assert "because user has failed" in rest(await found(cluster))


@pytest.mark.parametrize("name", ALLOWED)
async def test_a_command_that_is_not_granted(
    lab: Lab, through_sudo: Callable[..., Cluster], name: str
) -> None:
    granted = ", ".join(f"/usr/bin/{other}" for other in ALLOWED if other != name)
    head = f'Defaults>{lab.spec.user} env_keep += "SLURM_CONF"\n'
    text = f"{head}{lab.spec.operator} ALL=({lab.spec.user}) NOPASSWD: {granted}\n"
    lab.write_sudoers(text)
    finding = await fault(through_sudo(), f"sudo {name}")
    assert f"/usr/bin/{name}" in finding.detail
    assert "sudo -n" in finding.evidence
    # What is to be pasted helps.
    assert pasted(finding) == f"{lab.spec.operator} ALL=({lab.spec.user}) NOPASSWD: /usr/bin/{name}"
    lab.write_sudoers(f"{text}{pasted(finding)}\n")
    assert [one.check for one in await found(through_sudo()) if one.state is not OK] == []


async def test_a_command_that_asks_for_a_password(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    lab.write_sudoers(
        f"{sudoers(lab.spec)}{lab.spec.operator} ALL=({lab.spec.user}) PASSWD: /usr/bin/scancel\n"
    )
    finding = await fault(through_sudo(), "sudo scancel")
    assert "asks for a password" in finding.detail


@pytest.mark.parametrize("rule", ["", "{operator} ALL=({user}) PASSWD: ALL\n"])
async def test_nothing_is_granted_without_a_password(
    lab: Lab, through_sudo: Callable[..., Cluster], rule: str
) -> None:
    text = f'Defaults>{lab.spec.user} env_keep += "SLURM_CONF"\n'
    text += rule.format(operator=lab.spec.operator, user=lab.spec.user)
    lab.write_sudoers(text)
    cluster = through_sudo()
    finding = await fault(cluster, "sudo")
    assert "jobs folder" in rest(await found(cluster))
    lab.write_sudoers(f"{text}{pasted(finding)}\n")
    assert [one.check for one in await found(cluster) if one.state is not OK] == []


async def test_sudo_wants_a_terminal(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    text = f"Defaults:{lab.spec.operator} requiretty\n{sudoers(lab.spec)}"
    lab.write_sudoers(text)
    finding = await fault(through_sudo(), "sudo")
    assert "terminal" in finding.detail
    lab.write_sudoers(f"{text}{pasted(finding)}\n")
    assert [one.check for one in await found(through_sudo()) if one.state is not OK] == []


async def test_sudo_drops_what_names_the_cluster(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    text = "".join(line for line in sudoers(lab.spec).splitlines(True) if "env_keep" not in line)
    lab.write_sudoers(text)
    finding = await fault(through_sudo(), "SLURM_CONF")
    lab.write_sudoers(f"{text}{pasted(finding)}\n")
    assert [one.check for one in await found(through_sudo()) if one.state is not OK] == []


async def test_there_is_no_sudo(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    cluster = through_sudo()
    line = cluster.transport.real
    line._sudo, line._as_user = ("no-such-sudo",), ("no-such-sudo",)  # type: ignore[attr-defined]
    assert "can't be started" in (await fault(cluster, "sudo")).detail
