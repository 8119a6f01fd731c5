"""Check of the way over SSH: each fault by the one finding that names it."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from runners.config.files import read_profile, read_resource
from runners.config.profile import SlurmSSHProfile
from runners.config.resource import SlurmSSHResource
from runners.sample import Sample
from runners.slurm.ssh import SlurmSSHRunner
from runners.transport.local import LocalTransport
from tests.lab.ground import Ground
from tests.lab.lab import Lab
from tests.lab.login import key_file
from tests.lab.runyard_home import PROFILE
from tests.slurm.clusters import Cluster
from tests.slurm.findings import OK, UNTOLD, WARNING, fault, found, pasted, rest
from tests.transport.sshd import free_port, make_key
from tui.finding_words import copied

pytestmark = pytest.mark.usefixtures("no_jobs_folder")


@pytest.fixture
def config(over_ssh: object, tmp_path: Path) -> Path:
    """The folder of the SSH settings."""
    return tmp_path / "config"


async def test_an_unknown_host_name(over_ssh: Callable[..., Cluster]) -> None:
    cluster = over_ssh(host="no-such-host.invalid")
    finding = await fault(cluster, "host name")
    assert (finding.of, finding.field) == ("resource", "host")
    assert "no-such-host.invalid" in finding.detail
    said = rest(await found(cluster))
    assert said.startswith("Host key, login, round trip")
    assert said.endswith("not looked at, because host name has failed.")


async def test_a_port_that_is_closed(lab: Lab, over_ssh: Callable[..., Cluster], config: Path) -> None:
    port = free_port()
    (config / "ssh_config").write_text(f"Host {lab.spec.name}\n  HostName 127.0.0.1\n  Port {port}\n")
    finding = await fault(over_ssh(), "port")
    assert f"port {port} of 127.0.0.1" in finding.detail
    assert "refused" in finding.detail
    # What is to be pasted helps, with the right port in it.
    file = config / "ssh_config"
    assert f"before the first Host line of {file}, " in finding.fix
    block = copied(finding.fix)
    assert block == f"Host {lab.spec.name}\n  Port 2222"
    file.write_text(f"{block.replace('2222', str(lab.spec.ssh_port))}\n{file.read_text()}")
    assert [one for one in await found(over_ssh()) if one.state is not OK] == []


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\xff\x1b[31m\0" * 5000])
async def test_a_port_where_something_else_listens(
    lab: Lab, over_ssh: Callable[..., Cluster], config: Path, words: bytes
) -> None:
    async with speaking(words) as port:
        (config / "ssh_config").write_text(f"Host {lab.spec.name}\n  HostName 127.0.0.1\n  Port {port}\n")
        finding = await fault(over_ssh(), "port")
    assert "no SSH server" in finding.detail
    assert finding.detail.isprintable()


@pytest.mark.parametrize("words", [b"Not allowed at this time\r\n", b"Exceeded MaxStartups\r\n"])
async def test_a_server_that_turns_us_away(
    lab: Lab, over_ssh: Callable[..., Cluster], config: Path, words: bytes
) -> None:
    async with speaking(words) as port:
        (config / "ssh_config").write_text(f"Host {lab.spec.name}\n  HostName 127.0.0.1\n  Port {port}\n")
        finding = await fault(over_ssh(), "port")
    assert "for the moment" in finding.detail
    assert finding.field == ""


async def test_a_host_that_is_new(lab: Lab, over_ssh: Callable[..., Cluster], config: Path) -> None:
    (config / "known_hosts").unlink()
    cluster = over_ssh()
    finding = await fault(cluster, "host key")
    public = lab.spec.here / "ssh" / "host_key.pub"
    fingerprint = lab.ground.must("ssh-keygen", "-l", "-f", f"{lab.spec.base}/ssh/{public.name}").split()[1]
    assert fingerprint in finding.detail
    assert "new here" in finding.detail
    assert finding.fix.endswith("runyard resource connect NAME")
    assert not (config / "known_hosts").exists()
    assert rest(await found(cluster)).endswith("because host key has failed.")


async def test_a_host_that_has_changed(lab: Lab, over_ssh: Callable[..., Cluster], config: Path) -> None:
    before = (config / "known_hosts").read_bytes()
    lab.change_host_key()
    finding = await fault(over_ssh(), "host key")
    assert "has changed" in finding.detail
    assert "Someone may be listening in" in finding.detail
    assert f"-f {config / 'known_hosts'}" in pasted(finding)
    assert (config / "known_hosts").read_bytes() == before
    # What is to be pasted makes it a new host.
    Ground(lab.spec).must(*shlex.split(pasted(finding)))
    assert "new here" in (await fault(over_ssh(), "host key")).detail


async def test_a_key_that_is_open_to_others(
    lab: Lab, over_ssh: Callable[..., Cluster], tmp_path: Path
) -> None:
    key = copied_key(lab, tmp_path)
    key.chmod(0o644)
    cluster = over_ssh(profile_changes={"ssh_key_path": str(key)})
    finding = await fault(cluster, "key file")
    assert "0644" in finding.detail
    assert (finding.of, finding.field) == ("profile", "ssh_key_path")
    assert "because key file has failed" in rest(await found(cluster))
    Ground(lab.spec).must(*shlex.split(pasted(finding)))
    assert [one for one in await found(cluster) if one.state is not OK] == []


async def test_a_key_that_is_not_there(over_ssh: Callable[..., Cluster]) -> None:
    finding = await fault(over_ssh(profile_changes={"ssh_key_path": "/no/such/key"}), "key file")
    assert "/no/such/key" in finding.detail


async def test_a_key_that_is_none(over_ssh: Callable[..., Cluster], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("not a key\n")
    (tmp_path / "key").chmod(0o600)
    finding = await fault(over_ssh(profile_changes={"ssh_key_path": str(tmp_path / "key")}), "key file")
    assert "no private key" in finding.detail


async def test_a_key_that_is_not_let_in(over_ssh: Callable[..., Cluster], tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    cluster = over_ssh(profile_changes={"ssh_key_path": str(tmp_path / "other")})
    finding = await fault(cluster, "login")
    assert "does not let" in finding.detail
    assert "authorized_keys" in finding.fix


async def test_a_user_who_is_unknown_there(over_ssh: Callable[..., Cluster]) -> None:
    finding = await fault(over_ssh(profile_changes={"username": "nobody-there"}), "login")
    assert "'nobody-there'" in finding.detail


async def test_a_key_that_nobody_has_opened(
    lab: Lab, over_ssh: Callable[..., Cluster], tmp_path: Path
) -> None:
    key = copied_key(lab, tmp_path)
    Ground(lab.spec).must("ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(key))
    cluster = over_ssh(profile_changes={"ssh_key_path": str(key)})
    finding = await fault(cluster, "login", UNTOLD)
    assert "passphrase" in finding.detail
    assert finding.fix.endswith("runyard resource connect NAME")
    assert rest(await found(cluster)).endswith("because login could not be told.")


async def test_start_up_files_that_print(lab: Lab, over_ssh: Callable[..., Cluster]) -> None:
    with start_up_file(lab, "echo 'Welcome to the [red]cluster'; printf '\\033[31mmore\\n'"):
        finding = await fault(over_ssh(), "noise", WARNING)
    assert "Welcome to the [red]cluster" in finding.detail
    assert "2 lines" in finding.detail
    assert "~/.bashrc" in finding.fix
    assert "\x1b" not in finding.evidence
    # What is to be pasted helps.
    with start_up_file(lab, f"{pasted(finding)}\necho 'Welcome to the [red]cluster'"):
        assert [one for one in await found(over_ssh()) if one.state is not OK] == []


@pytest.mark.parametrize(("shift", "word"), [("-90 seconds", "behind"), ("+3600 seconds", "ahead of")])
async def test_clocks_that_differ(lab: Lab, over_ssh: Callable[..., Cluster], shift: str, word: str) -> None:
    # Both sides of a lab have one clock: another `date` plays the one over there.
    folder = f"{lab.spec.home_of(lab.spec.user)}/bin"
    script = lab.here(folder) / "date"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\nexec /bin/date -d '{shift}' \"$@\"\n")
    script.chmod(0o755)
    script.parent.chmod(0o755)
    try:
        with start_up_file(lab, f"PATH={folder}:$PATH"):
            finding = await fault(over_ssh(), "clock", WARNING)
    finally:
        shutil.rmtree(script.parent)
    assert word in finding.detail


async def test_a_runner_without_a_line_over_ssh_can_not_be_checked(lab: Lab) -> None:
    """Nothing is raised all the same."""
    resource = read_resource(lab.home.resources, "lab-ssh").value
    profile = read_profile(lab.home.resources, "lab-ssh", PROFILE).value
    assert isinstance(resource, SlurmSSHResource)
    assert isinstance(profile, SlurmSSHProfile)
    runner = SlurmSSHRunner(resource, profile, transport=LocalTransport())
    findings = [finding async for finding in runner.check(Sample())]
    assert [(one.check, one.state) for one in findings] == [("login", UNTOLD)]
    assert findings[0].fix


# What faults are made of


def copied_key(lab: Lab, folder: Path) -> Path:
    """Another file with the client's key."""
    key = folder / "copied key"
    shutil.copy(key_file(lab.spec), key)
    shutil.copy(key_file(lab.spec).with_suffix(".pub"), f"{key}.pub")
    key.chmod(0o600)
    return key


@contextmanager
def start_up_file(lab: Lab, text: str) -> Iterator[None]:
    """What the user's shell over there reads before each command."""
    file = lab.here(lab.spec.home_of(lab.spec.user)) / ".bashrc"
    file.write_text(f"{text}\n")
    file.chmod(0o644)
    try:
        yield
    finally:
        file.unlink()


@asynccontextmanager
async def speaking(words: bytes) -> AsyncIterator[int]:
    """The port of a server that says *words* to everyone, and closes."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
