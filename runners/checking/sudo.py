"""Preflight of a resource through sudo: is there such a user, and may we run the five commands as them?"""

from __future__ import annotations

import asyncio
import pwd
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from runners.checking.sentences import sentence, told_by
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.slurm.cluster_settings import SHOW_CONFIG, read_settings
from runners.transport.base import Reply, TransportError
from runners.transport.sudo import GRANTED, SudoTransport, path_of

USER_S = 10.0
"""How long finding a user may take: a directory service may be behind it, that does not answer."""

_SUDO_S = 20.0
_LINE = "\n"
_TELLING = ("ClusterName", "SlurmctldHost[0]", "SlurmctldPort")
"""Settings that tell a cluster from others."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")
_OF_SUDO = re.compile(
    r"^(sudo(?:-rs)?: (?!unable to resolve host).*"
    r"|.* is not in the sudoers file.*|.* may not run sudo on .*|.* is not allowed to .*)$",
    re.MULTILINE,
)
_WHO = re.compile(r"^(?:User|Sorry, user) (\S+) may (?:not )?run ", re.MULTILINE)
_NO_TERMINAL = re.compile(r"must have a tty|no tty present and no askpass|a terminal is required")
_BROKEN = re.compile(
    r"no valid sudoers sources|must be owned by uid 0|effective uid is not 0|no new privileges|PAM |expired"
)


async def user_findings(user: str) -> AsyncIterator[Finding]:
    """Whether *user* is one to act for: `user`."""
    yield await _user_finding(user)


async def _user_finding(user: str) -> Finding:
    def failure(detail: str, fix: str) -> Finding:
        return Finding("user", FindingState.FAILURE, detail, fix, of="profile", field="username")

    if not _NAME.fullmatch(user):
        return failure(
            f"{shown(user)!r} can't be the name of a user.", "Correct the username of the profile."
        )
    try:
        async with asyncio.timeout(USER_S):
            found = await asyncio.to_thread(pwd.getpwnam, user)
    except KeyError:
        return failure(f"There is no user {user!r} on this machine.", "Correct the username of the profile.")
    except TimeoutError:
        detail = f"This machine does not say within {USER_S:g} s who {user!r} is."
        return Finding("user", FindingState.UNTOLD, detail, "See whether its directory service answers.")
    if found.pw_uid == 0:
        return failure(f"{user!r} is root, and nobody acts as root.", "Name another user in the profile.")
    return Finding("user", FindingState.OK, f"{user!r} is a user of this machine (uid {found.pw_uid}).")


@dataclass(frozen=True, slots=True)
class _Tried:
    """One of the granted commands, run as the user."""

    name: str
    reply: Reply

    @property
    def refusal(self) -> str:
        """What sudo says against it; empty where the command itself has run."""
        if not self.reply.code:
            return ""
        match = _OF_SUDO.search(self.reply.err.decode("utf-8", "replace"))
        return match[0] if match else ""


async def sudo_findings(transport: SudoTransport) -> AsyncIterator[Finding]:
    """Whether sudo lets us act as the user: `sudo`, then `sudo sbatch` and so on, then `SLURM_CONF`."""
    try:
        tried = [await _try(transport, name) for name in GRANTED]
        listed = await transport.ask_sudo("-l", timeout_s=_SUDO_S)
    except TransportError as error:
        detail, fix = told_by(error)
        fix = fix or "Ask the administrators of this machine to install sudo."
        yield Finding("sudo", FindingState.FAILURE, detail, fix)
        return
    refused = [one for one in tried if one.refusal]
    own = await _own_name(transport, listed)
    evidence = f"sudo -n -l: {_said(listed)}"
    if len(refused) == len(tried) or any(_BROKEN.search(one.refusal) for one in refused):
        yield _no_sudo(transport.user, own, refused[0].refusal, evidence)
        return
    detail = f"sudo lets {shown(own)} act as {transport.user!r}, and asks for nothing."
    yield Finding("sudo", FindingState.OK, detail, evidence=evidence)
    for one in tried:
        yield await _command_finding(transport, own, one)
    if not refused:
        yield await _conf_finding(transport, own)


async def _try(transport: SudoTransport, name: str) -> _Tried:
    return _Tried(name, await transport.try_granted(name, "--version", timeout_s=_SUDO_S))


async def _own_name(transport: SudoTransport, listed: Reply) -> str:
    """Who asks sudo, as sudo itself has it, if it says so."""
    if match := _WHO.search((listed.out + listed.err).decode("utf-8", "replace")):
        return match[1]
    reply = await transport.run_own("id", "-un", timeout_s=_SUDO_S)
    return reply.out.decode("utf-8", "replace").strip() or "the user who runs Runyard"


def _no_sudo(user: str, own: str, refusal: str, evidence: str) -> Finding:
    said, field = sentence(refusal.removeprefix("sudo: ")), ""
    if _NO_TERMINAL.search(refusal) and "password" not in refusal:
        detail = f"sudo wants a terminal, which the engine has not: {said}"
        fix = f"Have this machine's administrators add to its sudoers file: Defaults:{own} !requiretty"
    elif _BROKEN.search(refusal):
        detail = f"sudo works for nobody here, or not for {shown(own)}: {said}"
        fix = "Ask the administrators of this machine; it is no matter of what Runyard is granted."
    else:
        detail = f"sudo does not let {shown(own)} act as {user!r} without a password: {said}"
        fix = (
            f"See first that {user!r} is the user to act for (username of the profile); if so, have this "
            f"machine's administrators add to its sudoers file: {_grant(own, user, GRANTED)}"
        )
        field = "username"
    proof = f"{refusal}\n{evidence}"
    return Finding(
        "sudo", FindingState.FAILURE, detail, fix, proof, of="profile" if field else "", field=field
    )


async def _command_finding(transport: SudoTransport, own: str, one: _Tried) -> Finding:
    check, path = f"sudo {one.name}", path_of(one.name)
    typed = f"sudo -n -u {transport.user} {path} --version"
    evidence = f"{typed}: {_said(one.reply).partition(_LINE)[0]}"
    if not one.refusal:
        return Finding(check, FindingState.OK, f"{path} is granted, and nothing is asked.", evidence=evidence)
    listed = await transport.ask_sudo("-u", transport.user, "-l", path, timeout_s=_SUDO_S)
    evidence += f"\nsudo -n -u {transport.user} -l {path}: {_said(listed)}"
    grant = _grant(own, transport.user, [one.name])
    fix = f"Have this machine's administrators add to its sudoers file: {grant}"
    if _NO_TERMINAL.search(one.refusal) and "password" not in one.refusal:
        detail = f"sudo wants a terminal to run {path}, which the engine has not."
        fix = f"Have this machine's administrators add to its sudoers file: Defaults!{path} !requiretty"
    elif not listed.code:
        detail = f"{path} is granted as {transport.user!r}, but sudo asks for a password."
    elif "command not found" in one.refusal:
        detail = f"There is no {one.name} on this machine: sudo finds no {path}."
        fix = f"Install it, or put its folder into the PATH of the engine: {one.name}"
    else:
        detail = f"sudo does not let {shown(own)} run {path} as {transport.user!r}."
    return Finding(check, FindingState.FAILURE, detail, fix, evidence)


def _grant(own: str, user: str, names: Sequence[str]) -> str:
    """The line of a sudoers file."""
    return f"{own} ALL=({user}) NOPASSWD: {', '.join(map(path_of, names))}"


def _said(reply: Reply) -> str:
    text = (reply.out.strip() or reply.err.strip()).decode("utf-8", "replace")
    lines = [shown(line.strip()) for line in text.splitlines()]
    return "\n".join(lines[:30]) or f"exit code {reply.code}, without a word"


async def _conf_finding(transport: SudoTransport, own: str) -> Finding:
    """Whether the commands of the user speak to the cluster that ours speak to.

    sudo gives commands an environment of its own, without SLURM_CONF unless told otherwise.
    """
    ours = _conf_of(await transport.run_own("cat", "/proc/self/environ", timeout_s=_SUDO_S))
    theirs = _conf_of(await transport.try_granted("cat", "/proc/self/environ", timeout_s=_SUDO_S))
    evidence = f"for {own}: SLURM_CONF={ours or ''}\nfor {transport.user}: SLURM_CONF={theirs or ''}"
    if not ours or ours == theirs:
        detail = f"Both speak to the cluster of {shown(ours)}." if ours else "It is not set, and need not be."
        return Finding("SLURM_CONF", FindingState.OK, detail, evidence=_shown_lines(evidence))
    here = _cluster(await transport.run_own(*SHOW_CONFIG, timeout_s=_SUDO_S))
    setting = ["-u", "SLURM_CONF"] if theirs is None else [f"SLURM_CONF={theirs}"]
    there = _cluster(await transport.run_own("env", *setting, *SHOW_CONFIG, timeout_s=_SUDO_S))
    evidence += f"\nscontrol show config: {here or 'no answer'}; as theirs: {there or 'no answer'}"
    if here and here == there:
        detail = f"It says the same to both: {shown(here)}."
        return Finding("SLURM_CONF", FindingState.OK, detail, evidence=_shown_lines(evidence))
    if not here:
        detail = (
            "It differs for the two, and SLURM gives no answer by which the clusters could be told apart."
        )
        # What SLURM has to say is another finding.
        return Finding("SLURM_CONF", FindingState.OK, detail, evidence=_shown_lines(evidence))
    what = f"to another cluster ({shown(there)})" if there else "to no cluster"
    detail = (
        f"SLURM_CONF is {shown(ours)} for us, and sudo does not hand it on: sbatch as {transport.user!r} "
        f"speaks {what}, while squeue looks at {shown(here)}."
    )
    fix = (
        "Have this machine's administrators add to its sudoers file: "
        f'Defaults>{transport.user} env_keep += "SLURM_CONF"'
    )
    return Finding("SLURM_CONF", FindingState.FAILURE, detail, fix, _shown_lines(evidence))


def _shown_lines(text: str) -> str:
    """Lines from outside as they may be shown."""
    return "\n".join(map(shown, text.splitlines()))


def _conf_of(reply: Reply) -> str | None:
    for setting in reply.out.split(b"\0"):
        name, _, value = setting.partition(b"=")
        if name == b"SLURM_CONF":
            return value.decode("utf-8", "replace")
    return None


def _cluster(reply: Reply) -> str:
    """What tells a cluster from others, in the answer of `scontrol show config`."""
    text = reply.out.decode("utf-8", "replace") if not reply.code else ""
    settings = read_settings(text)
    values = {} if settings is None else settings.values
    return ", ".join(f"{name} {value}" for name, value in values.items() if name in _TELLING)
