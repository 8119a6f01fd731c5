"""How a cluster is configured, as `scontrol show config` answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runners.slurm.notation import parse_count

SHOW_CONFIG = ("scontrol", "show", "config")

_SETTING = re.compile(r"^([\w\[\]]+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_NOW = re.compile(r"^Configuration data as of (\d{4}-\d\d-\d\d)T", re.MULTILINE)
_CONTROLLER = re.compile(r"^Slurmctld\((?P<role>[^)]*)\) at (?P<host>.+?) (?:is|are) (?P<state>\w+)", re.M)
_NOTHING = ("", "(null)", "none", "n/a")


@dataclass(frozen=True, slots=True)
class SlurmSettings:
    """How a cluster is configured."""

    values: Mapping[str, str]
    today: str
    """The day by its clock, `2026-11-28`; empty where it does not say."""
    controllers: tuple[tuple[str, str], ...]
    """Hosts, and whether they are UP or DOWN."""

    @property
    def cluster(self) -> str:
        """Its name; empty where it does not say."""
        return self._text("ClusterName")

    @property
    def accounting(self) -> bool:
        """Whether there is accounting."""
        return bool(self._text("AccountingStorageType").lower().removeprefix("accounting_storage/none"))

    @property
    def enforced(self) -> frozenset[str]:
        """What of the accounting is enforced: associations, limits, qos and more."""
        given = {word.strip().lower() for word in self._text("AccountingStorageEnforce").split(",")} - {""}
        if given & {"limits", "safe", "qos", "wckeys", "all"}:
            given.add("associations")
        if given & {"safe", "all"}:
            given |= {"limits"}
        return frozenset(given | ({"qos"} if "all" in given else set()))

    @property
    def private(self) -> frozenset[str]:
        """What only its owners and operators may see: jobs, partitions and more."""
        text = self._text("PrivateData").lower()
        return frozenset({word.strip() for word in text.split(",")} - {"", "none"})

    @property
    def slurm_user(self) -> str:
        """Whom the controller runs as, who sees everything."""
        return self._text("SlurmUser").partition("(")[0]

    @property
    def script_bytes(self) -> int | None:
        """What a script may have at most, where that was set."""
        match = re.search(r"\bmax_script_size=(\d{1,15})", self._text("SchedulerParameters"))
        return int(match[1]) if match else None

    @property
    def release(self) -> tuple[int, int]:
        """That of slurmctld; zeros where it does not say."""
        match = re.match(r"(\d{1,3})\.(\d{1,3})", self._text("SLURM_VERSION"))
        return (int(match[1]), int(match[2])) if match else (0, 0)

    def number(self, name: str) -> int | None:
        """A whole number; None where there is no such limit."""
        return parse_count(self._text(name))

    def line(self, *keys: str) -> str:
        """Settings as they were answered."""
        return "\n".join(f"{key} = {self.values[key]}" for key in keys if key in self.values)

    def _text(self, name: str) -> str:
        text = self.values.get(name, "")
        return "" if text.lower() in _NOTHING else text


def read_settings(text: str) -> SlurmSettings | None:
    """Read the answer; None where it is none."""
    values: dict[str, str] = {}
    for key, value in _SETTING.findall(text):
        values.setdefault(key, value)
    if "AccountingStorageType" not in values:
        return None
    now = _NOW.search(text)
    up = tuple((match["host"], match["state"].upper()) for match in _CONTROLLER.finditer(text))
    return SlurmSettings(values, now[1] if now else "", up)
