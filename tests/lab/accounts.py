"""The users of a lab, and the sudoers file."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.ground import Ground
from tests.lab.spec import LabSpec

ALLOWED = ("sbatch", "scancel", "cat", "ls", "mkdir")
"""All that a site grants; a test that needs a sixth command is a bug."""


def add_users(ground: Ground) -> None:
    """Make the users, with their homes, which only they can read.

    Raises:
        LabError: they can't be made.
    """
    spec = ground.spec
    (spec.here / "home").mkdir()
    for user, uid in spec.users.items():
        _change_accounts(
            ground,
            *("useradd", "--uid", str(uid), "--user-group", "--shell", "/bin/bash", "--password", "*"),
            *("--no-log-init", "--no-create-home", "--home-dir", spec.home_of(user)),
            *("--comment", f"Runyard {spec.name}", user),
        )
        (spec.here / "home" / user).mkdir(mode=0o700)
        ground.must("chown", f"{user}:", spec.home_of(user))


def remove_users(ground: Ground) -> None:
    """Remove the users; their homes are the lab's and go with it."""
    for user in ground.spec.users:
        if ground.run("id", "-u", user).returncode == 0:
            _change_accounts(ground, "userdel", user)


def _change_accounts(ground: Ground, *command: str) -> None:
    """Others may be changing accounts as well, and lock the files of it."""
    until = time.monotonic() + 10
    while True:
        try:
            ground.must(*command)
        except LabError as error:
            if "lock" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def sudoers(spec: LabSpec) -> str:
    """The sudoers file: the operator may run five commands as the two users, and nothing else."""
    alias = spec.name.replace("-", "_").upper()
    commands = ", ".join(f"/usr/bin/{name}" for name in ALLOWED)
    return f"""\
Runas_Alias {alias}_USERS = {spec.user}, {spec.other_user}
Cmnd_Alias {alias}_COMMANDS = {commands}
Defaults>{alias}_USERS env_keep += "SLURM_CONF"
{spec.operator} ALL=({alias}_USERS) NOPASSWD: {alias}_COMMANDS
"""


def write_sudoers(ground: Ground, text: str) -> None:
    """Put the lab's sudoers file in place, whole.

    Raises:
        LabError: it is not valid; nothing was changed.
    """
    file = sudoers_file(ground.spec)
    # sudo passes over names with a dot.
    draft = file.with_name(f"{file.name}.new")
    draft.touch(mode=0o440)
    draft.write_text(text)
    try:
        ground.must("visudo", "--check", "--file", str(draft))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def sudoers_file(spec: LabSpec) -> Path:
    """Where the sudoers file of a lab is."""
    return Path("/etc/sudoers.d") / f"runyard-{spec.name}"


def write_operators_sudo(spec: LabSpec) -> None:
    """A `sudo` for whoever uses the lab: it asks as the operator, for whom alone the sudoers file speaks."""
    file = Path(spec.folder) / "bin" / "sudo"
    file.parent.mkdir()
    real = shutil.which("sudo") or "/usr/bin/sudo"
    file.write_text(f'#!/bin/sh\nexec runuser -u {spec.operator} -- {real} "$@"\n')
    file.chmod(0o755)
