"""What a check of a made-up cluster finds."""

from __future__ import annotations

from runners.config.files import write_profile
from runners.config.home import Home
from runners.config.profile import parse_profile
from runners.findings import REST, Finding, FindingState
from tests.clusters import add_cluster

OK, WARNING, FAILURE, UNTOLD = FindingState


def fine(check: str, detail: str, evidence: str = "") -> Finding:
    """One that is as it should be."""
    return Finding(check, OK, detail, evidence=evidence)


WAY = [
    fine("name", "alps.example resolves to 192.0.2.17."),
    fine("port", "Port 22 answers within 4 ms."),
    fine("host key", "It is the known one: ED25519, SHA256:kVZ7Ff0."),
    fine("key file", "/home/mira/.ssh/id_ed25519 is for its owner only."),
    fine("login", "mira is let in, 31 ms there and back."),
    fine("channels", "8 shells can be open at a time."),
    fine("clock", "Both clocks agree to 0.2 s."),
]

PARTITION = Finding(
    "partition",
    FAILURE,
    "The cluster has no partition 'mian': there are main, gpu and short, of which main is the default.",
    "Set the partition to one of: main, gpu, short",
    "$ scontrol --oneliner show partition\n"
    "PartitionName=main AllowGroups=ALL Default=YES MaxTime=2-00:00:00 State=UP Nodes=cn[01-40]\n"
    "PartitionName=gpu AllowGroups=ALL Default=NO MaxTime=1-00:00:00 State=UP Nodes=gn[01-04]\n"
    "PartitionName=short AllowGroups=ALL Default=NO MaxTime=00:30:00 State=UP Nodes=cn[01-40]",
    "resource",
    "jobs_runner_config.default_slurm_config.partition",
)

SPACE = Finding(
    "space, jobs folder",
    WARNING,
    "Of /data/mira/jobs only 1.2 GB are free: logs and results of large runs may not find room.",
    "Remove what is not needed there, or set jobs_remote_dir of the profile to another folder.",
    "$ df -Pk /data/mira/jobs\n/dev/sdb1 1952559608 1951386808 1172800 100% /data",
    "profile",
    "jobs_remote_dir",
)

LIMITS = Finding(
    "limits of the account",
    UNTOLD,
    "sacctmgr gave no answer within 20 s, so nothing is known of limits on jobs.",
    "Try again when the accounting answers.",
    "$ sacctmgr --parsable2 show assoc user=mira\n(no answer)",
)

SUDO = Finding(
    "sudo scancel",
    FAILURE,
    "scancel may not be run as 'mira'.",
    "Have an administrator add to sudoers: runyard ALL=(mira) NOPASSWD: /usr/bin/scancel",
)

WORDY = Finding(
    "sudo squeue",
    FAILURE,
    "squeue may not be run as 'mira' without a password: sudo asks for one, and there is nobody to type it, "
    "so that no job of this profile can be followed.",
    "Have an administrator of head.alps.example add this line to /etc/sudoers.d/runyard with visudo, and "
    "check again; each command is to be granted with its full path, as it is there, or else it is refused "
    "as before: runyard ALL=(mira) NOPASSWD: /usr/bin/sbatch, /usr/bin/squeue, /usr/bin/scancel, "
    "/usr/bin/sacct, /usr/bin/cat, /usr/bin/mkdir, /usr/bin/find, /opt/slurm/the-last-one",
    "$ sudo -n -l -U mira\n    (mira) NOPASSWD: /usr/bin/sbatch",
)
"""More to do than a few lines hold."""

HOSTILE = Finding(
    "[bold]motd[/]\x1b[2J",
    WARNING,
    "The login prints \x1b[31m[red]Welcome[/]\n and then \u202esdrawkcab.",
    "Silence it: [ -t 1 ] || return # \x1b]0;title\x07[/]",
    "\x1b[31m[/]evil\nline two\u202e",
)

CLUSTER = [
    fine("sbatch", "slurm 22.05.8."),
    fine(
        "controller", "slurmctld answers within 12 ms.", "$ scontrol ping\nSlurmctld(primary) at head is UP"
    ),
    fine("accounting", "It is on: slurmdbd."),
    fine("jobs folder", "/data/mira/jobs is there and may be written to."),
    SPACE,
    fine("python", "/usr/bin/python3 is Python 3.11."),
    fine("account", "mira may use imaging."),
    LIMITS,
    PARTITION,
    Finding(
        REST,
        UNTOLD,
        "Time limit, memory, cpus and trial were not looked at, because partition has failed.",
        "Do what there is to do about partition, and check again.",
    ),
]

ALL = [*WAY, *CLUSTER]
"""A check in which one thing is wrong."""


def add_alps(home: Home, *profiles: str) -> None:
    """The resource `alps`, with the profile `me`, and *profiles* besides."""
    add_cluster(home, "alps", "slurm_ssh", user="mira")
    for name in profiles:
        document = {
            "resource_type": "slurm_ssh",
            "name": name,
            "username": name,
            "ssh_key_path": "/nonesuch/key",
            "jobs_remote_dir": "/jobs",
            "tasks_remote_dir": "/tasks",
        }
        write_profile(home.resources, "alps", name, parse_profile(document), None)
