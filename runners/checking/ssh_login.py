"""Preflight of an SSH resource: whether the host is the one it was, and lets us in. Nobody is asked."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import AsyncIterator, Sequence

import asyncssh

from runners.checking.sentences import sentence, told_by
from runners.checking.ssh_line import MORE_SESSIONS
from runners.config.errors import shown
from runners.findings import CONNECT, CONNECT_COMMAND, Finding, FindingState
from runners.transport.base import Command, TransportError, UnreachableError
from runners.transport.login import HostKeyChangedError, Login, LoginRefusedError, UnansweredError
from runners.transport.questions import Kind, NoAnswerError, Prompt
from runners.transport.shell import NoShellError
from runners.transport.ssh import SSHTransport
from runners.transport.ssh_settings import Hop, read_settings

_FIRST_S = 20.0

_PORT = 22
"""The one that needs no mention."""


class _Asked:
    """Takes the questions that a person would be asked, and answers none."""

    def __init__(self) -> None:
        self.kind: Kind | None = None
        self.text = ""
        self.prompts: Sequence[Prompt] = ()

    async def ask(self, place: str, kind: Kind, text: str, prompts: Sequence[Prompt]) -> Sequence[str]:
        """As `Questions.ask` does."""
        self.kind, self.text, self.prompts = kind, text, prompts
        raise NoAnswerError(refused=False)


async def login_findings(line: SSHTransport) -> AsyncIterator[Finding]:
    """Whether there is, or can be, a line: `host key`, `login`, and `channels` where there is none at all."""
    asked = _Asked()
    there = line.is_up
    try:
        await line.try_quietly(asked.ask)
    except UnreachableError as error:
        for finding in await asyncio.to_thread(_why_not, line.login, error, asked):
            yield finding
        return
    showed = "When it was logged in to, it showed" if there else "It shows"
    yield Finding("host key", FindingState.OK, f"{showed} the key that it is known by.")
    yield await _shell_finding(line)


def _by_hand(login: Login) -> str:
    """A remedy where nothing else is known."""
    there = shown(shlex.quote(f"{login.user}@{login.host}"))
    return f"See by hand how far a login and a command come: ssh -v {there} true"


def _let_in(login: Login) -> str:
    """What to do where the host that is meant does not let the user in with the key. Reads files.

    A host does not tell an unknown user from an unknown key, so that both may be at fault.
    """
    try:
        settings = read_settings(login, Hop(login.host, login.user, last=True))
    except UnreachableError:
        host, port = login.host, _PORT
    else:
        # What leads there on the way is known by the name only.
        host = login.host if settings.jumps or settings.command else settings.host
        port = settings.port
    public = f"{login.key}.pub"
    way = [] if port == _PORT else ["-p", str(port)]
    pasted = shlex.join(["ssh-copy-id", "-i", public, *way, f"{login.user}@{host}"])
    if not os.path.isfile(public):
        pasted = f"ssh-keygen -y -f {shlex.quote(login.key)} > {shlex.quote(public)} && {pasted}"
    return (
        f"See whether {shown(login.key)} is the key that the host knows {login.user!r} by (ssh_key_path of "
        f"the profile), and {login.user!r} the user to log in as (username). If so, its public half is to be "
        f"added to .ssh/authorized_keys there: {shown(pasted)}"
    )


def _why_not(login: Login, error: UnreachableError, asked: _Asked) -> list[Finding]:
    """What came of an attempt that has failed. Reads files."""
    detail, fix = told_by(error)
    known = Finding("host key", FindingState.OK, "It shows the key that it is known by.")
    match error, asked.kind:
        case HostKeyChangedError(), _:
            what, found, to_do = str(error).partition(" Ask the administrators")
            return [
                Finding("host key", FindingState.FAILURE, sentence(what), sentence(f"{found}{to_do}")),
            ]
        case _, Kind.HOST_KEY:
            # Without the question, which comes last.
            what = f"{asked.text.rpartition('. ')[0]}."
            fix = (
                f"{CONNECT} once, compare the key with the one that the host's administrators "
                f"publish, and accept it: {CONNECT_COMMAND}"
            )
            return [Finding("host key", FindingState.FAILURE, sentence(what), fix)]
        case _, Kind.PASSPHRASE:
            fix = f"{CONNECT}, give the passphrase, and check again: {CONNECT_COMMAND}"
            detail = f"{sentence(asked.text)} Its passphrase is for you to give, and a check asks nobody."
            return [Finding("login", FindingState.UNTOLD, detail, fix)]
        case _, Kind.CODE:
            prompts = ", ".join(shown(prompt.label.strip()) for prompt in asked.prompts)
            detail = (
                f"The host asks for something that only you can give ({prompts}), and a check asks nobody. "
                "It may be that it refuses the key."
            )
            fix = f"{CONNECT}, answer, and check again: {CONNECT_COMMAND}"
            return [known, Finding("login", FindingState.UNTOLD, detail, fix, evidence=shown(asked.text))]
        case UnansweredError(), _:
            return [Finding("login", FindingState.UNTOLD, detail, fix)]
        case LoginRefusedError(), _:
            if str(error).startswith(f"{login.host!r} does not let {login.user!r} in"):
                # Not a host on the way, where others may log in.
                fix = _let_in(login)
            return [
                known,
                Finding("login", FindingState.FAILURE, detail, fix, of="profile", field="ssh_key_path"),
            ]
    return [Finding("login", FindingState.FAILURE, detail, fix or _by_hand(login))]


async def _shell_finding(line: SSHTransport) -> Finding:
    """Whether commands can be run over the line that there is."""
    try:
        exchange = await line.quiet().exchange([Command(("id", "-un"))], timeout_s=_FIRST_S)
    except TransportError as error:
        detail, fix = told_by(error)
        cause = error.__cause__
        if isinstance(cause, NoShellError) and isinstance(cause.__cause__, asyncssh.ChannelOpenError):
            return Finding("channels", FindingState.FAILURE, detail, MORE_SESSIONS)
        return Finding("login", FindingState.FAILURE, detail, fix or _by_hand(line.login))
    name = exchange.replies[0].out.decode("utf-8", "replace").strip()
    detail = f"The host lets us in, and commands run as {shown(name or line.login.user)}."
    return Finding("login", FindingState.OK, detail)
