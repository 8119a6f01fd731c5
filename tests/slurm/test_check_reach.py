"""Check tells how a cluster is reached and where files go: each fault by the one finding that names it."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from runners.checking.folders import space_here
from runners.config.files import read_profile, read_resource
from runners.config.profile import SlurmSSHProfile
from runners.config.resource import SlurmSSHResource
from runners.findings import REST, Finding, FindingState, is_sound
from runners.sample import Sample
from runners.slurm.ssh import SlurmSSHRunner
from runners.transport.local import LocalTransport
from tests.lab.accounts import ALLOWED, sudoers
from tests.lab.ground import Ground
from tests.lab.lab import Lab
from tests.lab.login import key_file, known_hosts_line, ssh_config
from tests.lab.runyard_home import PROFILE
from tests.slurm.clusters import Cluster
from tests.slurm.runners import ssh_cluster, sudo_cluster
from tests.transport.sshd import free_port, make_key

pytestmark = pytest.mark.usefixtures("no_jobs_folder")

OK, WARNING, FAILURE, UNTOLD = FindingState

IN_MEMORY = space_here("/tmp").kind == "tmpfs"
"""Labs are below /tmp, and where that is no disk, Check is right to say so."""

LOCAL = ["local folder", "local folder space"]
WAY_OF_SUDO = ["user", "sudo", *(f"sudo {name}" for name in ALLOWED), "SLURM_CONF"]
WAY_OF_SSH = [
    "key file",
    "host name",
    "port",
    "host key",
    "login",
    "round trip",
    "channels",
    "clock",
    "noise",
]
PLACES = ["jobs folder", "jobs folder space", "python"]


async def found(cluster: Cluster) -> list[Finding]:
    """All findings, but for the warnings that a lab in memory deserves."""
    findings = [finding async for finding in cluster.runner.check(Sample())]
    return [
        finding
        for finding in findings
        if not (IN_MEMORY and finding.check.endswith("space") and "memory" in finding.detail)
    ]


async def fault(cluster: Cluster, check: str, state: FindingState = FAILURE) -> Finding:
    """The one finding that is not OK, which is of *check*."""
    findings = await found(cluster)
    faults = [finding for finding in findings if finding.state is not OK and finding.check != REST]
    assert [(finding.check, finding.state) for finding in faults] == [(check, state)], faults
    assert all(finding.check != REST for finding in findings[:-1])
    assert faults[0].fix
    assert is_sound(findings) is (state is not FAILURE)
    return faults[0]


def rest(findings: list[Finding]) -> str:
    """What is said of the rest."""
    assert findings[-1].check == REST
    assert findings[-1].state is UNTOLD
    return findings[-1].detail


def pasted(finding: Finding) -> str:
    """What its remedy has one paste."""
    return finding.fix.partition(": ")[2]


@pytest.fixture
def through_sudo(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Cluster]:
    """Opens runners through sudo."""
    if lab.spec.root:
        pytest.skip("a cluster in another system can't be reached through sudo")
    monkeypatch.setenv("SLURM_CONF", lab.spec.conf)
    return lambda **changes: sudo_cluster(lab, **changes)


@pytest.fixture
async def over_ssh(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Cluster]]:
    """Opens runners over SSH, with SSH settings that a test may change: those of the folder `config`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    config = tmp_path / "config"
    config.mkdir()
    (config / "ssh_config").write_text(ssh_config(lab.spec))
    (config / "known_hosts").write_text(known_hosts_line(lab.spec))
    clusters: list[Cluster] = []

    def open_cluster(**changes: object) -> Cluster:
        clusters.append(ssh_cluster(lab, config=config, **changes))  # type: ignore[arg-type]
        return clusters[-1]

    yield open_cluster
    for cluster in clusters:
        await cluster.runner.close()


@pytest.fixture
def config(over_ssh: object, tmp_path: Path) -> Path:
    """The folder of the SSH settings."""
    return tmp_path / "config"


async def test_nothing_is_wrong(lab: Lab, cluster: Cluster) -> None:
    findings = await found(cluster)
    assert [finding for finding in findings if finding.state is not OK] == []
    checks = [finding.check for finding in findings]
    way = WAY_OF_SUDO if cluster.runner.place.startswith("sudo:") else WAY_OF_SSH
    before, after = [*LOCAL, *way], PLACES
    assert checks[: len(before)] == before
    assert checks[-len(after) :] == after
    assert not cluster.here(cluster.runner.jobs_folder).exists()
    assert all(finding.detail.endswith(".") for finding in findings)


# The way through sudo


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


async def test_a_home_that_its_user_cannot_write_to(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    home = Path(lab.spec.home_of(lab.spec.user))
    with kept(home):
        os.chmod(home, 0o555)
        finding = await fault(through_sudo(), "jobs folder")
        assert (finding.of, finding.field) == ("profile", "username")
        assert repr(lab.spec.user) in finding.detail
        assert str(home) in finding.fix
        os.chown(home, 0, 0)
        os.chmod(home, 0o700)
        await fault(through_sudo(), "jobs folder")


async def test_a_file_in_place_of_the_jobs_folder(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    file = Path(lab.spec.home_of(lab.spec.user)) / "runyard"
    file.write_text("in the way")
    try:
        assert "is a file" in (await fault(through_sudo(), "jobs folder")).detail
    finally:
        file.unlink()


async def test_a_full_disk_through_sudo(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    disk = Path(lab.small_disk("sudo-disk", 1))
    link = Path(lab.spec.home_of(lab.spec.user)) / "runyard"
    link.symlink_to(disk)
    try:
        finding = await fault(through_sudo(), "jobs folder space")
        assert "tmpfs" in finding.detail
    finally:
        link.unlink()


# The way over SSH


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


# Folders and Pythons, over both ways


@pytest.fixture(params=["sudo", "ssh"])
def opener(request: pytest.FixtureRequest) -> Callable[..., Cluster]:
    """Opens runners through sudo, and over SSH."""
    opened: Callable[..., Cluster] = request.getfixturevalue(
        "through_sudo" if request.param == "sudo" else "over_ssh"
    )
    return opened


@pytest.mark.parametrize("folder", ["/root/runs", "/proc/runs", "/no-such-folder"])
async def test_a_jobs_folder_that_cannot_be_made(over_ssh: Callable[..., Cluster], folder: str) -> None:
    finding = await fault(over_ssh(profile_changes={"jobs_remote_dir": folder}), "jobs folder")
    assert folder in finding.detail
    assert (finding.of, finding.field) == ("profile", "jobs_remote_dir")


async def test_a_jobs_folder_below_a_file(over_ssh: Callable[..., Cluster]) -> None:
    cluster = over_ssh(profile_changes={"jobs_remote_dir": "/etc/passwd/runs"})
    assert "/etc/passwd on the host" in (await fault(cluster, "jobs folder")).detail


async def test_a_full_disk_over_ssh(lab: Lab, over_ssh: Callable[..., Cluster]) -> None:
    cluster = over_ssh(profile_changes={"jobs_remote_dir": lab.small_disk("ssh-disk", 1)})
    finding = await fault(cluster, "jobs folder space")
    assert "full" in finding.detail
    cluster = over_ssh(profile_changes={"jobs_remote_dir": lab.small_disk("ssh-disk-2", 200)})
    await fault(cluster, "jobs folder space", WARNING)


async def test_odd_names_of_folders(lab: Lab, over_ssh: Callable[..., Cluster]) -> None:
    odd = f"{lab.spec.home_of(lab.spec.user)}/a b'$(touch x)\"[red]/é"
    findings = await found(over_ssh(profile_changes={"jobs_remote_dir": odd}))
    assert [one for one in findings if one.state is not OK] == []


async def test_a_local_folder_that_cannot_be_written_to(
    opener: Callable[..., Cluster], tmp_path: Path, read_only: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    finding = await fault(opener(jobs_local_dir=str(tmp_path / "file" / "jobs")), "local folder")
    assert (finding.of, finding.field) == ("resource", "jobs_local_dir")
    assert "is a file" in finding.detail
    await fault(opener(jobs_local_dir=str(read_only)), "local folder")
    await fault(opener(jobs_local_dir=str(read_only / "a" / "b")), "local folder")


async def test_a_python_that_is_not_there(opener: Callable[..., Cluster]) -> None:
    finding = await fault(opener(jobs_slurm_python_worker="/no/such/python3"), "python", WARNING)
    assert "/no/such/python3" in finding.detail
    assert (finding.of, finding.field) == ("resource", "jobs_slurm_python_worker")


PYTHONS = {
    "old": 'if [ "$1" = --version ]; then echo Python 2.7.18 >&2; else echo "Unknown option" >&2; exit 2; fi',
    "not whole": (
        'exec /usr/bin/python3 -c \'import sys; sys.modules["selectors"] = None; exec(sys.argv[3])\' "$@"'
    ),
    "none": "echo no snake",
}


@pytest.mark.parametrize(
    ("kind", "words"), [("old", "is Python 2.7.18"), ("not whole", "selectors"), ("none", "does not run")]
)
async def test_a_python_that_will_not_do(
    lab: Lab, opener: Callable[..., Cluster], kind: str, words: str
) -> None:
    script = lab.spec.here / "python"
    script.write_text(f"#!/bin/sh\n{PYTHONS[kind]}\n")
    script.chmod(0o755)
    finding = await fault(opener(jobs_slurm_python_worker=f"{lab.spec.base}/python"), "python")
    assert words in finding.detail
    script.unlink()


async def test_two_faults_are_two_findings(over_ssh: Callable[..., Cluster]) -> None:
    cluster = over_ssh(
        profile_changes={"jobs_remote_dir": "/root/runs"}, jobs_slurm_python_worker="/no/such/python3"
    )
    faults = [finding.check for finding in await found(cluster) if finding.state is not OK]
    assert faults == ["jobs folder", "python"]


async def test_who_stops_looking_ends_the_check(opener: Callable[..., Cluster]) -> None:
    cluster = opener()
    before = asyncio.all_tasks()
    findings = cluster.runner.check(Sample())
    assert (await anext(findings)).check == "local folder"
    await findings.aclose()  # type: ignore[attr-defined]
    assert asyncio.all_tasks() == before


# What faults are made of


@pytest.fixture
def read_only(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """A folder of this machine that not even root can write to."""
    path = tmp_path / "read-only"
    path.mkdir()
    ground = Ground(lab.spec)
    ground.must("mount", "-t", "tmpfs", "-o", "ro", "lab", str(path))
    yield path
    ground.must("umount", str(path))


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


@contextmanager
def kept(path: Path) -> Iterator[None]:
    """Mode and owner of *path* are as before, afterwards."""
    before = path.stat()
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        path.chmod(before.st_mode)


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


async def test_the_rest_of_slurm_is_told_after_it_took_too_long(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controller is silent for longer than Check waits."""
    monkeypatch.setattr("runners.check._SLURM_S", 1.0)
    cluster = ssh_cluster(lab)
    lab.pause_controller()
    try:
        findings = await found(cluster)
    finally:
        lab.resume_controller()
        await cluster.runner.close()
    late = [one for one in findings if one.state is UNTOLD and one.check != REST]
    assert [one.check for one in late] == ["sbatch"]
    told = rest(findings)
    assert told.startswith("Squeue, scancel, controller, accounting, queue, partition, ")
    assert told.endswith(" batching and trial were not looked at, because sbatch could not be told.")
