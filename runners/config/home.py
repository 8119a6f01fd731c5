"""Where Runyard keeps its files: one place that knows the folders, and makes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runners.config.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one user's Runyard. All paths are absolute; none has to exist before `make()`."""

    config: Path
    """Resource and profile files."""
    state: Path
    """The store, and the engine's lock, socket and log."""
    jobs: Path
    """What runs on this machine writes: arguments, logs and outputs of tasks."""

    @classmethod
    def at(cls, root: Path) -> Home:
        """Everything under one folder, as `RUNYARD_HOME` has it; a relative `root` counts from here."""
        root = Path(os.path.abspath(root))
        return cls(config=root / "config", state=root / "state", jobs=root / "jobs")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Home:
        """The folders that `RUNYARD_HOME` names, or else those of the XDG base directory specification.

        As that specification asks, an `XDG_*_HOME` that is empty or relative counts as not set.
        Raises `ConfigError` when neither names a folder and the user has no home folder.
        """
        environ = os.environ if environ is None else environ
        root = environ.get("RUNYARD_HOME")
        if root:
            return cls.at(Path(root))
        return cls(
            config=_xdg(environ, "XDG_CONFIG_HOME", ".config") / "runyard",
            state=_xdg(environ, "XDG_STATE_HOME", ".local/state") / "runyard",
            jobs=_xdg(environ, "XDG_DATA_HOME", ".local/share") / "runyard" / "jobs",
        )

    @property
    def resources(self) -> Path:
        """One folder for each resource."""
        return self.config / "resources"

    @property
    def database(self) -> Path:
        """The store."""
        return self.state / "runyard.db"

    @property
    def lock(self) -> Path:
        """Held by the engine, so that there is only one."""
        return self.state / "engine.lock"

    @property
    def socket(self) -> Path:
        """The engine's Unix socket."""
        return self.state / "engine.sock"

    @property
    def engine_log(self) -> Path:
        """What the engine has to say."""
        return self.state / "engine.log"

    @property
    def ssh_config(self) -> Path:
        """SSH settings for Runyard alone, which go before the user's own; it need not be there."""
        return self.config / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The keys of hosts that a person has accepted here."""
        return self.config / "known_hosts"

    def make(self) -> None:
        """Make the folders and those above them, for their owner only; those that exist stay as they are.

        Raises `ConfigError` when a folder cannot be made or cannot be written.
        """
        for folder in (self.config, self.resources, self.state, self.jobs):
            try:
                # mkdir's own parents get the mode of the umask: others could put a folder in the place.
                for part in (*reversed(folder.parents), folder):
                    if not part.is_dir():
                        part.mkdir(mode=0o700, exist_ok=True)
            except OSError as error:
                raise ConfigError(_cannot("make", folder, error.strerror or str(error))) from error
            if not os.access(folder, os.W_OK | os.X_OK):
                raise ConfigError(_cannot("write to", folder, "Permission denied"))


def _cannot(verb: str, folder: Path, reason: str) -> str:
    return (
        f"Cannot {verb} the folder {str(folder)!r} ({reason}); "
        "set RUNYARD_HOME to a folder that you can write to."
    )


def _xdg(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    value = environ.get(variable, "")
    if os.path.isabs(value):
        return Path(os.path.normpath(value))
    home = environ.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):
        raise ConfigError(
            "There is no home folder (HOME is not set); set RUNYARD_HOME to a folder of your own."
        )
    return Path(home) / below_home
