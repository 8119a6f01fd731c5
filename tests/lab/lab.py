"""A real SLURM cluster for tests, with an sshd, users and a sudoers file, in one folder."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from runners.config.home import Home
from tests.conftest import end_engine
from tests.lab.accounting import limit_submissions, start_slurmdbd
from tests.lab.accounts import remove_users, sudoers, sudoers_file, write_sudoers
from tests.lab.claims import abandoned, claim_number, keep, release_number
from tests.lab.errors import LabError
from tests.lab.ground import ground_of
from tests.lab.login import make_host_key, start_sshd
from tests.lab.packages import why_no_lab
from tests.lab.policy import Policy
from tests.lab.processes import carries, descendants, end_processes, start_of
from tests.lab.runyard_home import know_host
from tests.lab.spec import LabSpec
from tests.lab.starting import check, start_everything
from tests.lab.waiting import listening, wait_for

_FINE = ("idle", "mixed", "allocated")
"""States of nodes that work."""


class Lab:
    """A cluster that is up, and what can be done to it. Everything blocks, until it has taken effect.

    Paths are the cluster's, which has files of its own when it lives in another system; :meth:`here`
    translates.
    """

    def __init__(self, spec: LabSpec) -> None:
        self.spec = spec
        self.ground = ground_of(spec)
        self.home = Home.at(spec.runyard_home)
        self.policy = Policy(self.ground)

    # Up and down

    @classmethod
    def up(
        cls,
        folder: Path,
        *,
        nodes: int = 4,
        accounting: bool = False,
        root: Path | None = None,
        min_job_age_s: int = 300,
        options: tuple[str, ...] = (),
    ) -> Lab:
        """Bring a lab up in *folder*, which is made, or is empty. Takes some 3 seconds, 12 with accounting.

        Args:
            folder: reachable for all users.
            nodes: how many nodes the partition `main` has.
            accounting: with slurmdbd and MariaDB; only on this machine.
            root: the debootstrapped system that the cluster lives in; None: this one.
            min_job_age_s: seconds after which squeue forgets a job that has ended.
            options: more lines for slurm.conf.

        Raises:
            LabError: it can't be had here; nothing is left behind.
        """
        spec = LabSpec(
            folder=os.path.abspath(folder),
            number=-1,
            nodes=nodes,
            accounting=accounting,
            root=None if root is None else os.path.abspath(root),
            min_job_age_s=min_job_age_s,
            options=options,
        )
        if reason := why_no_lab():
            raise LabError(f"{reason[0].upper()}{reason[1:]}.")
        for old in abandoned():
            cls(old).down()
        check(spec)
        lab = cls(claim_number(spec))
        try:
            start_everything(lab.ground)
            for node in lab.spec.node_names:
                lab.start_node(node)
            wait_for(lab._nodes_are_up, "the nodes to be up")
        except BaseException:
            lab.down()
            raise
        return lab

    @classmethod
    def up_somewhere(
        cls, *, nodes: int = 4, accounting: bool = False, root: Path | None = None, min_job_age_s: int = 300
    ) -> Lab:
        """Bring a lab up in a new folder below ``/tmp``; see :meth:`up`."""
        # Not TMPDIR: that may be one which other users can't pass.
        folder = Path(tempfile.mkdtemp(prefix="runyard-lab-", dir="/tmp"))
        try:
            return cls.up(folder, nodes=nodes, accounting=accounting, root=root, min_job_age_s=min_job_age_s)
        except LabError:
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()
            raise

    @classmethod
    def at(cls, folder: Path) -> Lab:
        """The lab that is up in *folder*.

        Raises:
            LabError: there is none.
        """
        return cls(LabSpec.load(Path(os.path.abspath(folder))))

    def keep(self) -> None:
        """Let it outlive this process: otherwise the next one who wants a lab clears it away."""
        keep(self.spec)

    def down(self) -> None:
        """End all that was started, and remove all that was made, the folder too.

        Raises:
            LabError: a process does not end.
        """
        spec = self.spec
        with contextlib.suppress(FileNotFoundError):
            end_engine(self.home)
        end_processes(spec.name, spec.users.values())
        if spec.root is None:
            self.ground.clear()
            sudoers_file(spec).unlink(missing_ok=True)
            remove_users(self.ground)
        shutil.rmtree(spec.folder, ignore_errors=True)
        release_number(spec.number)

    @property
    def environment(self) -> dict[str, str]:
        """What a shell needs to use the lab.

        Its `sudo` asks as the operator: root itself would be allowed everything.
        """
        variables = {"RUNYARD_HOME": str(self.spec.runyard_home)}
        if self.spec.root is None:
            path = f"{self.spec.folder}/bin:{os.environ['PATH']}"
            variables |= {"SLURM_CONF": self.spec.conf, "PATH": path}
        return variables

    # Commands and files of the cluster

    def run(
        self, *command: str, user: str | None = None, stdin: str = "", timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the cluster, as root or as *user*, whatever it answers.

        Raises:
            LabError: it is not there, or takes too long.
        """
        prefix = ("runuser", "-u", user, "--") if user else ()
        return self.ground.run(*prefix, *command, stdin=stdin, timeout_s=timeout_s)

    def scontrol(self, *words: str) -> str:
        """What `scontrol` answers root. Raises `LabError` when it fails, as all of these do."""
        return self.ground.must("scontrol", *words)

    def squeue(self, *words: str) -> str:
        """What `squeue` answers root."""
        return self.ground.must("squeue", *words)

    def sacct(self, *words: str) -> str:
        """What `sacct` answers root."""
        return self.ground.must("sacct", *words)

    def here(self, path: str) -> Path:
        """An absolute path of the cluster's, as this machine sees it."""
        return self.ground.here(path)

    # slurmctld

    def pid(self, daemon: str) -> int | None:
        """The process id of `slurmctld`, `slurmdbd`, `sshd`, `mariadbd` or a node, such as `c1`.

        None: it is not up.
        """
        try:
            pid = int((self.spec.here / "pid" / daemon).read_text())
        except (FileNotFoundError, ValueError):
            return None
        # The file outlives a process that was killed, and others may get its id.
        return pid if start_of(pid) and carries(pid, self.spec.name) else None

    def pause_controller(self) -> None:
        """SIGSTOP: it takes connections, and answers none."""
        self._signal("slurmctld", signal.SIGSTOP)

    def resume_controller(self) -> None:
        """SIGCONT: whatever reached it meanwhile is done now."""
        self._signal("slurmctld", signal.SIGCONT)

    def kill_controller(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._end("slurmctld", signal.SIGKILL)
        # Its other threads may take a moment longer.
        wait_for(lambda: not listening(self.spec.controller_port), "slurmctld to let its port go")

    def start_controller(self) -> None:
        """Start it after :meth:`kill_controller`; it knows all jobs."""
        self.ground.must("slurmctld", "-f", self.spec.conf)
        wait_for(self._controller_answers, "slurmctld to answer")

    def kill_accounting(self) -> None:
        """SIGKILL for slurmdbd; slurmctld goes on without it."""
        self._end("slurmdbd", signal.SIGKILL)
        wait_for(lambda: not listening(self.spec.accounting_port), "slurmdbd to let its port go")

    # Nodes and partitions

    def start_node(self, node: str) -> None:
        """Start a node's slurmd."""
        self.ground.must("slurmd", "-N", node, "-f", self.spec.conf)

    def kill_node(self, node: str) -> None:
        """SIGKILL for a node's slurmd; its jobs go on, and slurmctld notices after minutes."""
        self._end(node, signal.SIGKILL)

    def node_down(self, node: str) -> None:
        """Declare a node down: its jobs go back to the queue, if they may."""
        self.scontrol("update", f"nodename={node}", "state=down", "reason=lab")

    def node_drain(self, node: str) -> None:
        """Let a node start nothing more."""
        self.scontrol("update", f"nodename={node}", "state=drain", "reason=lab")

    def node_up(self, node: str) -> None:
        """Let a node that is down or drained work again."""
        self.scontrol("update", f"nodename={node}", "state=resume")

    def partition(self, name: str, state: str) -> None:
        """Set a partition's state: `up`, `down`, `drain` or `inactive`."""
        self.scontrol("update", f"partition={name}", f"state={state}")

    # sshd

    def start_sshd(self) -> None:
        """Start it after :meth:`stop_sshd`."""
        start_sshd(self.ground)

    def stop_sshd(self, sessions: bool = True) -> None:
        """SIGKILL for it, if it is up, and for all its sessions and what they run, unless they may stay."""
        if (pid := self.pid("sshd")) is None:
            return
        below = descendants({pid}) if sessions else set()
        self._end("sshd", signal.SIGKILL)
        for session in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)

    def change_host_key(self) -> None:
        """The server has another key from now on, as after a new installation; nobody is told."""
        make_host_key(self.ground)
        self.stop_sshd()
        self.start_sshd()

    # Users, rights, disks

    def limit_submissions(self, jobs: int | None) -> None:
        """How many jobs the user may have in the queue; None: any number. Only with accounting."""
        limit_submissions(self.ground, self.spec.user, jobs)

    def write_sudoers(self, text: str | None = None) -> None:
        """Put another sudoers file in place; None: the lab's own again.

        Raises:
            LabError: it is not valid.
        """
        write_sudoers(self.ground, sudoers(self.spec) if text is None else text)

    def small_disk(self, name: str, megabytes: int) -> str:
        """The path of a new disk of that size, which the user may write to."""
        path = str(self.spec.base / name)
        uid = self.spec.users[self.spec.user]
        self.ground.must("mkdir", path)
        self.ground.must(
            *("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,uid={uid},gid={uid},mode=700", "lab", path)
        )
        return path

    # Health

    def heal(self) -> None:
        """Make everything as it was after :meth:`up`: no jobs, and all daemons, nodes and partitions up."""
        spec = self.spec
        if self.pid("slurmctld") is None:
            self.start_controller()
        self.resume_controller()
        if self.pid("sshd") is None:
            self.start_sshd()
        for node in spec.node_names:
            if self.pid(node) is None:
                self.start_node(node)
        self._end_jobs()
        for partition in ("main", "urgent", "gpu"):
            self.partition(partition, "up")
        if not self._nodes_are_up():
            for node, state in self._unwell().items():
                # Others, such as unknown, pass by themselves.
                if state.startswith(("down", "drain", "fail")):
                    # Refused of a node that has come up by itself meanwhile; what counts is waited for.
                    with contextlib.suppress(LabError):
                        self.node_up(node)
            wait_for(self._nodes_are_up, "the nodes to be up")
        if spec.accounting:
            if self.pid("slurmdbd") is None:
                start_slurmdbd(self.ground)
            self.limit_submissions(None)
        self.policy.undo()
        if spec.root is None and sudoers_file(spec).read_text() != sudoers(spec):
            self.write_sudoers()
        know_host(spec)

    def _end_jobs(self) -> None:
        users = f"--user={self.spec.user},{self.spec.other_user}"
        if self.squeue("--noheader", users, "--format=%i"):
            for user in (self.spec.user, self.spec.other_user):
                self.ground.must("scancel", f"--user={user}")
            wait_for(lambda: not self.squeue("--noheader", users, "--format=%i"), "the jobs to end", 60)

    def _unwell(self) -> dict[str, str]:
        """Nodes that can't run anything, and their states."""
        rows = self.ground.must("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines()
        states = dict(row.split() for row in rows)
        return {node: state for node, state in states.items() if state not in _FINE}

    def _nodes_are_up(self) -> bool:
        return self._controller_answers() and not self._unwell()

    def _controller_answers(self) -> bool:
        # Its exit code says nothing in old releases.
        return listening(self.spec.controller_port) and " is UP" in self.ground.run("scontrol", "ping").stdout

    def _signal(self, daemon: str, number: int) -> None:
        pid = self.pid(daemon)
        if pid is None:
            raise LabError(f"{daemon} is not up in {self.spec.name}.")
        os.kill(pid, number)

    def _end(self, daemon: str, number: int) -> None:
        self._signal(daemon, number)
        wait_for(lambda: self.pid(daemon) is None, f"{daemon} to end")


def shell_lines(environment: dict[str, str]) -> str:
    """Lines for a shell to evaluate."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
