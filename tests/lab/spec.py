"""What a lab is: its folder, its number, and all names and ports that follow from them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from tests.lab.errors import LabError

LARGEST_NUMBER = 299
MOST_NODES = 32

_FIRST_PORT = 20_000
_PORTS = 40
"""For each lab: all of them lie below the ports that systems give away by themselves (from 32768)."""
_FIRST_UID = 300_000


@dataclass(frozen=True, slots=True)
class LabSpec:
    """One lab. Whoever has the folder finds everything about it here."""

    folder: str
    """Absolute; reachable for all users, because jobs run in it as others."""
    number: int
    """0 to `LARGEST_NUMBER`; no two labs of a machine have the same one."""
    nodes: int = 4
    """Nodes c1, c2 ... of the partition `main`; the node g1 of the partition `gpu` comes on top."""
    accounting: bool = False
    root: str | None = None
    """The debootstrapped system that the cluster lives in; None: this one."""
    min_job_age_s: int = 300
    """Seconds after which squeue forgets a job that has ended."""
    options: tuple[str, ...] = ()
    """More lines for slurm.conf."""

    @property
    def name(self) -> str:
        """Of the lab, of its cluster, and of its host for SSH."""
        return f"lab-{self.number:03d}"

    @property
    def user(self) -> str:
        """The user to act for: through sudo, and over SSH."""
        return f"rya{self.number:03d}"

    @property
    def other_user(self) -> str:
        """Another one whom the operator may act for."""
        return f"ryb{self.number:03d}"

    @property
    def operator(self) -> str:
        """The user whom the sudoers file grants the five commands."""
        return f"ryo{self.number:03d}"

    @property
    def users(self) -> dict[str, int]:
        """All users of the lab, with their user ids, which are nobody else's on this machine."""
        first = _FIRST_UID + 10 * self.number
        return {self.user: first, self.other_user: first + 1, self.operator: first + 2}

    @property
    def node_names(self) -> list[str]:
        """All nodes, the one with the GPUs last."""
        return [*(f"c{number}" for number in range(1, self.nodes + 1)), "g1"]

    def port(self, place: int) -> int:
        """One of the lab's own ports."""
        return _FIRST_PORT + _PORTS * self.number + place

    @property
    def controller_port(self) -> int:
        return self.port(0)

    @property
    def ssh_port(self) -> int:
        return self.port(1)

    @property
    def accounting_port(self) -> int:
        return self.port(2)

    @property
    def database_port(self) -> int:
        return self.port(3)

    def node_port(self, node: str) -> int:
        return self.port(4 + self.node_names.index(node))

    @property
    def ports(self) -> list[int]:
        """All ports that the lab listens on."""
        return [self.port(place) for place in range(4 + len(self.node_names))]

    @property
    def here(self) -> Path:
        """The cluster's own folder, as this machine sees it."""
        return Path(self.folder) / "cluster"

    @property
    def base(self) -> PurePosixPath:
        """The cluster's own folder, as the cluster sees it."""
        return PurePosixPath("/lab") if self.root else PurePosixPath(self.here)

    @property
    def conf(self) -> str:
        """`SLURM_CONF`, as the cluster sees it."""
        return str(self.base / "slurm.conf")

    def home_of(self, user: str) -> str:
        """The home folder of a user, as the cluster sees it."""
        return str(self.base / "home" / user)

    @property
    def runyard_home(self) -> Path:
        """`RUNYARD_HOME`."""
        return Path(self.folder) / "home"

    def save(self) -> None:
        """Write it into the lab's folder."""
        _file(Path(self.folder)).write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, folder: Path) -> LabSpec:
        """The lab of a folder.

        Raises:
            LabError: there is none.
        """
        try:
            values = json.loads(_file(folder).read_bytes())
        except FileNotFoundError as error:
            raise LabError(f"There is no lab in {str(folder)!r}.") from error
        return cls(**{**values, "options": tuple(values["options"])})


def _file(folder: Path) -> Path:
    return folder / "lab.json"
