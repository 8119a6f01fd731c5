"""What the launch form says in fields that are empty, and the names that it offers. Imports no textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from runners.config.errors import ConfigError
from runners.config.files import list_profiles, list_resources, read_resource
from runners.config.home import Home
from tui.text import fit, plain

_LONGEST = 24
"""Cells of a hint in half a line of 80."""

_HERE: Final = {"workdir": "empty: the current one", "folder": "empty: where all runs of this machine go"}

_OF: Final[Mapping[Literal["local", "slurm_sudo", "slurm_ssh"], Mapping[str, str]]] = {
    "local": _HERE,
    "slurm_sudo": {**_HERE, "folder": "empty: runyard, in the home of the profile's user"},
    "slurm_ssh": {
        "workdir": "empty: the run's own, on the cluster",
        "folder": "empty: the folder for jobs of the profile",
    },
}
"""By the kind of the resource: what becomes of a folder that is not named."""


@dataclass(frozen=True, slots=True)
class Hints:
    """For one resource, as it is named in the form."""

    texts: Mapping[str, str] = field(default_factory=lambda: {**_HERE, "profile": ""})
    """What stands in a field as long as it is empty, by the name of the field."""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What a field may hold, where that can be listed."""


def hints(home: Home, resource: str) -> Hints:
    """The hints for the resource with this name, which may be none. Reads files, and blocks."""
    try:
        names = {"resource": [found.name for found in list_resources(home.resources)]}
        kind = read_resource(home.resources, resource).value.type
        profiles = [found.name for found in list_profiles(home.resources, resource)]
    except ConfigError:
        # What is wrong is said where the plan is.
        return Hints()
    texts = {**_OF[kind], "profile": _profile(kind, profiles)}
    return Hints(texts, {**names, "profile": profiles})


def _profile(kind: str, profiles: Sequence[str]) -> str:
    match profiles:
        case []:
            return "none is needed" if kind == "local" else "there is none yet"
        case [only] if kind != "local":
            return fit(plain(f"empty: {only}"), _LONGEST)
    return fit(plain(", ".join(profiles)), _LONGEST)
