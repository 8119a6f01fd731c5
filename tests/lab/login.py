"""The lab's sshd, and all that a client needs to log in without questions."""

from __future__ import annotations

from pathlib import Path

from tests.lab.ground import Ground
from tests.lab.processes import MARK
from tests.lab.spec import LabSpec
from tests.lab.waiting import wait_for


def set_up_login(ground: Ground) -> None:
    """Make the server's key and configuration, and let the client's key in as both users."""
    spec = ground.spec
    (spec.here / "ssh").mkdir(mode=0o700)
    make_host_key(ground)
    (spec.here / "ssh" / "sshd_config").write_text(_sshd_config(spec))
    client_key = key_file(spec)
    public = client_key.with_suffix(".pub")
    Ground(spec).must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", spec.name, "-f", str(client_key))
    for user in (spec.user, spec.other_user):
        folder = spec.here / "home" / user / ".ssh"
        folder.mkdir(mode=0o700)
        (folder / "authorized_keys").write_bytes(public.read_bytes())
        ground.must("chown", "-R", f"{user}:", f"{spec.home_of(user)}/.ssh")


def make_host_key(ground: Ground) -> None:
    """Give the server a key, in place of the one it has; it shows it from its next start on."""
    spec = ground.spec
    for old in (spec.here / "ssh").glob("host_key*"):
        old.unlink()
    ground.must(
        "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", spec.name, "-f", f"{spec.base}/ssh/host_key"
    )


def start_sshd(ground: Ground) -> None:
    """Start it, and wait until it listens.

    Raises:
        LabError: it does not start.
    """
    spec = ground.spec
    # It wants to be called by its whole path.
    program = ground.must("sh", "-c", "command -v sshd").strip()
    mark = f"VersionAddendum={MARK}={spec.name}"
    pid_file = spec.here / "pid" / "sshd"
    pid_file.unlink(missing_ok=True)
    config = ("-f", f"{spec.base}/ssh/sshd_config")
    # Newer ones turn away those who have failed to log in a few times, as tests do.
    lenient = ["-o", "PerSourcePenalties=no"]
    if ground.run(program, "-t", *config, *lenient).returncode:
        lenient = []
    ground.must(program, *config, "-E", f"{spec.base}/log/sshd", "-o", mark, *lenient)
    wait_for(lambda: pid_file.exists() and pid_file.read_text(), "sshd to listen")


def key_file(spec: LabSpec) -> Path:
    """The client's private key, which both users let in."""
    return spec.runyard_home / "config" / "lab_key"


def known_hosts_line(spec: LabSpec) -> str:
    """The line of a known_hosts file for the lab."""
    key = (spec.here / "ssh" / "host_key.pub").read_text().split()
    return f"[127.0.0.1]:{spec.ssh_port},[{spec.name}]:{spec.ssh_port} {key[0]} {key[1]}\n"


def ssh_config(spec: LabSpec) -> str:
    """Where the host of the lab is."""
    return f"Host {spec.name}\n    HostName 127.0.0.1\n    Port {spec.ssh_port}\n"


def _sshd_config(spec: LabSpec) -> str:
    base = spec.base
    return f"""\
Port {spec.ssh_port}
ListenAddress 127.0.0.1
HostKey {base}/ssh/host_key
PidFile {base}/pid/sshd
PasswordAuthentication no
UsePAM no
PrintMotd no
AllowUsers {spec.user} {spec.other_user}
SetEnv SLURM_CONF={spec.conf}
Subsystem sftp internal-sftp
"""
