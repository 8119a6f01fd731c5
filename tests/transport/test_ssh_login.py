"""Logging in over SSH: which host it is, with which key, and what only a person can answer."""

import asyncio
import contextlib
import os
import shlex
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from runners.transport.base import UnreachableError
from runners.transport.login import Login
from runners.transport.questions import Kind, Prompt, Question
from runners.transport.ssh import SSHTransport
from tests.lab.proxy import Proxy
from tests.transport.far import Far
from tests.transport.sshd import Sshd, make_key
from tests.waiting import until


async def greet(transport: SSHTransport) -> str:
    """What a command over there says."""
    return (await transport.run(["echo", "hello"], timeout_s=5)).out.decode().strip()


@asynccontextmanager
async def answered(far: Far, *answers: Sequence[str] | None) -> AsyncIterator[list[Question]]:
    """Meanwhile questions are answered, in turn; gives those that were asked. No other may be."""
    asked: list[Question] = []

    async def answer() -> None:
        for given in answers:
            question = await far.asked()
            asked.append(question)
            assert far.questions.answer(question.id, given)
            # Only once it is gone is the next one another one.
            await until(lambda: asked[-1] not in far.questions.open())

    async with asyncio.TaskGroup() as group:
        task = group.create_task(answer())
        yield asked
        await task
    assert far.questions.open() == []


def call(*command: str) -> str:
    """Run a command of this machine, and return what it says."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def fingerprint(sshd: Sshd) -> str:
    """As ssh-keygen shows it."""
    return call("ssh-keygen", "-l", "-f", str(sshd.folder / "host_key.pub")).split()[1]


async def test_a_new_host_is_accepted_by_a_person_once(far: Far) -> None:
    far.known_hosts.unlink()
    transport = far.open()
    async with answered(far, []) as asked:
        assert await greet(transport) == "hello"
    (question,) = asked
    assert question.kind is Kind.HOST_KEY
    assert question.place == f"ssh:{far.sshd.user}@127.0.0.1 ({transport.login.key})"
    assert fingerprint(far.sshd) in question.text
    assert f"[127.0.0.1]:{far.sshd.port}" in question.text
    assert far.known_hosts.read_text() == far.sshd.known()
    assert far.known_hosts.stat().st_mode & 0o777 == 0o600
    assert await greet(far.open()) == "hello"


async def test_an_accepted_host_gets_a_line_of_its_own(far: Far) -> None:
    far.known_hosts.write_text("other.invalid ssh-ed25519 torn")
    async with answered(far, []):
        await greet(far.open())
    assert far.known_hosts.read_text() == f"other.invalid ssh-ed25519 torn\n{far.sshd.known()}"


async def test_a_new_host_that_nobody_accepts(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    far.known_hosts.unlink()
    transport = far.open()
    async with answered(far, None):
        with pytest.raises(UnreachableError, match="you refused to answer"):
            await greet(transport)
    assert not far.known_hosts.exists()
    monkeypatch.setattr("runners.transport.connecting.PATIENCE_S", 0.1)
    connecting = asyncio.create_task(transport.connect())
    question = await far.asked()
    # Whoever does not know of the question is not kept waiting for its answer.
    with pytest.raises(UnreachableError, match="runyard resource connect NAME"):
        await greet(transport)
    assert far.questions.answer(question.id, [])
    await connecting
    assert await greet(transport) == "hello"


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
async def test_a_host_with_another_key_is_refused_without_a_question(far: Far, kind: str) -> None:
    far.sshd.stop()
    far.sshd.new_host_key(kind)
    far.sshd.start()
    transport = far.open()
    with pytest.raises(UnreachableError, match="has changed") as caught:
        await greet(transport)
    text = str(caught.value)
    assert "nothing was sent" in text
    assert str(far.known_hosts) in text
    assert transport.line.up is False
    if kind == "ed25519":
        assert fingerprint(far.sshd) in text
    # What it says to do is what helps.
    command = text.partition("forget the old key with: ")[2]
    call(*shlex.split(command))
    async with answered(far, []):
        await transport.connect()
    assert await greet(transport) == "hello"


async def test_the_hosts_that_ssh_knows_are_known(far: Far, tmp_path: Path) -> None:
    far.known_hosts.unlink()
    (tmp_path / ".ssh").mkdir()
    users = tmp_path / ".ssh/known_hosts"
    users.write_text(far.sshd.known())
    call("ssh-keygen", "-H", "-f", str(users))
    assert far.sshd.known() not in users.read_text()
    with users.open("a") as file:
        file.write("|1|broken line\n@nonsense\n|x|y|z ssh-rsa AAAA\n\n")
    assert await greet(far.open()) == "hello"


async def test_a_revoked_key_is_refused(far: Far) -> None:
    far.known_hosts.write_text(f"@revoked * {far.sshd.host_key}\n{far.sshd.known()}")
    with pytest.raises(UnreachableError, match="revoked"):
        await greet(far.open())


async def test_a_host_that_an_authority_vouches_for(far: Far) -> None:
    authority = far.sshd.folder / "authority"
    make_key(authority)
    public_key = str(far.sshd.folder / "host_key.pub")
    call("ssh-keygen", "-q", "-s", str(authority), "-I", "host", "-h", "-n", "127.0.0.1", public_key)
    far.sshd.stop()
    far.sshd.options = (f"HostCertificate {far.sshd.folder}/host_key-cert.pub",)
    far.sshd.start()
    public = " ".join(authority.with_suffix(".pub").read_text().split()[:2])
    far.known_hosts.write_text(f"@cert-authority [127.0.0.1]:* {public}\n")
    assert await greet(far.open()) == "hello"
    # Without the authority, it is a host with a key like any other.
    far.known_hosts.unlink()
    async with answered(far, []) as asked:
        assert await greet(far.open()) == "hello"
    assert fingerprint(far.sshd) in asked[0].text


async def test_keys_that_can_not_be_used(far: Far, tmp_path: Path) -> None:
    login = far.login()
    opened = tmp_path / "opened"
    opened.write_bytes(far.sshd.key.read_bytes())
    opened.chmod(0o644)
    broken = tmp_path / "broken"
    broken.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    broken.chmod(0o600)
    others = tmp_path / "others"
    others.write_bytes(far.sshd.key.read_bytes())
    others.chmod(0o600)
    os.chown(others, 12345, 12345)
    for key, words in (
        (opened, f"is open to others (mode 0644); close it with: chmod 600 {opened}"),
        (tmp_path / "none", "there is no key"),
        (tmp_path, "is no file"),
        (broken, "is no private key"),
        (others, "belongs to somebody else"),
    ):
        with pytest.raises(UnreachableError) as caught:
            await greet(far.open(replace(login, key=str(key))))
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def lock(far: Far, tmp_path: Path, kind: str = "ed25519") -> Login:
    """A login with an encrypted key."""
    key = tmp_path / "locked"
    make_key(key, kind, passphrase="open sesame")
    public = key.with_suffix(".pub").read_text()
    (far.sshd.folder / "authorized_keys").write_text(public)
    key.with_suffix(".pub").unlink()
    return replace(far.login(), key=str(key))


@pytest.mark.parametrize("form", ["RFC4716", "PKCS8", "PEM"])
async def test_an_encrypted_key_is_opened_by_a_person_and_stays_open(
    far: Far, tmp_path: Path, form: str
) -> None:
    login = lock(far, tmp_path, "rsa")
    words = ("-P", "open sesame", "-N", "open sesame")
    call("ssh-keygen", "-q", "-p", "-m", form, *words, "-f", login.key)
    transport = far.open(login)
    async with answered(far, ["wrong"], ["open sesame"]) as asked:
        assert await greet(transport) == "hello"
    assert {question.kind for question in asked} == {Kind.PASSPHRASE}
    assert asked[0].prompts == (Prompt("Passphrase", echo=False),)
    assert login.key in asked[0].text
    assert "does not open" in asked[1].text
    far.sshd.stop()
    far.sshd.start()
    with contextlib.suppress(Exception):
        await greet(transport)
    assert await greet(transport) == "hello"
    assert "open sesame" not in repr(far.records)


async def test_an_encrypted_key_that_nobody_opens(far: Far, tmp_path: Path) -> None:
    transport = far.open(lock(far, tmp_path))
    async with answered(far, ["1"], ["2"], ["3"]):
        with pytest.raises(UnreachableError, match="none of 3 passphrases"):
            await greet(transport)
    async with answered(far, None):
        with pytest.raises(UnreachableError, match="you refused to answer"):
            await transport.connect()


@contextmanager
def agent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real agent."""
    path = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        while not path.exists():
            assert process.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        yield
    finally:
        process.terminate()
        process.wait()


def give_to_agent(key: str, passphrase: str = "") -> None:
    """Have the agent know a key."""
    call("ssh-keygen", "-q", "-p", "-P", passphrase, "-N", "", "-f", key)
    call("ssh-add", "-q", key)
    if passphrase:
        call("ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", key)


async def test_an_agent_opens_an_encrypted_key(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = lock(far, tmp_path)
    with agent(tmp_path, monkeypatch):
        give_to_agent(login.key, "open sesame")
        assert await greet(far.open(login)) == "hello"


async def test_the_keys_of_an_agent_come_after_the_profiles_own(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with agent(tmp_path, monkeypatch):
        # More than a server lets one try.
        for number in range(8):
            make_key(tmp_path / f"other{number}")
            give_to_agent(str(tmp_path / f"other{number}"))
        assert await greet(far.open()) == "hello"
        # One of them is let in, and the profile's own is not.
        public = (tmp_path / "other2.pub").read_text()
        (far.sshd.folder / "authorized_keys").write_text(public)
        assert await greet(far.open()) == "hello"


async def test_an_agent_that_hangs_is_no_obstacle(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.transport.private_key._AGENT_S", 0.1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "silent"))
        assert await greet(far.open()) == "hello"


async def test_a_host_that_does_not_let_us_in_is_not_bothered_again(far: Far) -> None:
    (far.sshd.folder / "authorized_keys").write_text("")
    async with Proxy(far.sshd.port) as proxy:
        far.trust(proxy)
        transport = far.open(far.login(proxy))
        for _ in range(3):
            with pytest.raises(UnreachableError, match=r"does not let .*authorized_keys"):
                await greet(transport)
        assert proxy.connections == 1
        public = far.sshd.key.with_suffix(".pub").read_text()
        (far.sshd.folder / "authorized_keys").write_text(public)
        await transport.connect()
        assert await greet(transport) == "hello"


class _Server(asyncssh.SSHServer):
    """A host that asks for a code. OpenSSH can't without PAM."""

    asked = 0

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        type(self).asked += 1
        return ("Two factors", "\x1b[31mLook at your [/]telephone.", "", [("PIN", False), ("Code", True)])

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        return list(responses) == ["1234", "567890"]


async def _pump(read: Callable[[int], Awaitable[bytes]], write: Callable[[bytes], None]) -> None:
    with contextlib.suppress(asyncssh.Error):
        while data := await read(4096):
            write(data)


@asynccontextmanager
async def asking_host(far: Far) -> AsyncIterator[Login]:
    """A host that asks for two things."""
    _Server.asked = 0
    serving: list[asyncio.Task[None] | None] = []

    async def serve(process: "asyncssh.SSHServerProcess[bytes]") -> None:
        serving.append(asyncio.current_task())
        pipe = asyncio.subprocess.PIPE
        shell = await asyncio.create_subprocess_shell(
            process.command or "", stdin=pipe, stdout=pipe, stderr=pipe
        )
        assert shell.stdin is not None
        assert shell.stdout is not None
        assert shell.stderr is not None
        async with asyncio.TaskGroup() as group:
            for source, target in ((shell.stdout, process.stdout), (shell.stderr, process.stderr)):
                group.create_task(_pump(source.read, target.write))
            await _pump(process.stdin.read, shell.stdin.write)
            shell.stdin.close()
        await shell.wait()

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=_Server,
        server_host_keys=[str(far.sshd.folder / "host_key")],
        process_factory=serve,
        encoding=None,
    )
    port = server.sockets[0].getsockname()[1]
    far.known_hosts.write_text(far.sshd.known(port))
    try:
        yield far.sshd.login(far.here, port=port)
    finally:
        await far.close()
        server.close()
        await server.wait_closed()
        await asyncio.gather(*filter(None, serving))


async def test_what_a_host_asks_is_asked_of_a_person(far: Far) -> None:
    async with asking_host(far) as login:
        async with answered(far, ["1234", "567890"]) as asked:
            assert await greet(far.open(login)) == "hello"
        assert asked[0].kind is Kind.CODE
        assert asked[0].prompts == (Prompt("PIN", echo=False), Prompt("Code", echo=True))
        assert "Look at your [/]telephone." in asked[0].text
        assert "567890" not in repr(far.records)


async def test_a_code_that_is_not_given_is_not_asked_for_again_and_again(far: Far) -> None:
    async with asking_host(far) as login:
        transport = far.open(login)
        async with answered(far, None):
            with pytest.raises(UnreachableError, match="you refused to answer"):
                await greet(transport)
        for _ in range(3):
            with pytest.raises(UnreachableError, match="you refused to answer"):
                await greet(transport)
        assert _Server.asked == 1
        async with answered(far, ["1234", "567890"]):
            await transport.connect()
        assert await greet(transport) == "hello"


async def test_the_time_that_a_person_takes_does_not_count(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.transport.logging_in.LOGIN_S", 0.5)
    async with asking_host(far) as login:
        asking = asyncio.create_task(greet(far.open(login)))
        question = await far.asked()
        await asyncio.sleep(0.8)
        far.questions.answer(question.id, ["1234", "567890"])
        assert await asking == "hello"


async def test_a_host_behind_another_one(far: Far) -> None:
    far.known_hosts.unlink()
    folder = far.sshd.folder.with_name("inner")
    folder.mkdir()
    inner = Sshd(folder, far.sshd.user)
    inner.set_up()
    inner.start()
    try:
        login = replace(inner.login(far.here, host="cluster"), key=str(far.sshd.key))
        (inner.folder / "authorized_keys").write_text(far.sshd.key.with_suffix(".pub").read_text())
        async with Proxy(far.sshd.port) as gate:
            login.ssh_config.write_text(
                f"Host cluster\n  HostName 127.0.0.1\n  Port {inner.port}\n"
                f"  ProxyJump {far.sshd.user}@gate:{gate.port}\nHost gate\n  HostName 127.0.0.1\n"
            )
            transport = far.open(login)
            async with answered(far, [], []) as asked:
                assert await greet(transport) == "hello"
            assert [fingerprint(far.sshd) in asked[0].text, fingerprint(inner) in asked[1].text] == [
                True,
                True,
            ]
            assert gate.connections > 0
            gate.cut()
            with pytest.raises(Exception, match="line was lost"):
                await greet(transport)
            assert await greet(transport) == "hello"
            await transport.close()
    finally:
        inner.stop()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Port many\n", "SSH configuration for 'cluster' can't be used: "),
        ("ProxyJump a:b:c\n", "ProxyJump 'a:b:c'"),
        ("HostName no.such.host.invalid\n", "is not known; correct the host"),
        ("ProxyCommand /nonesuch/program %h\n", "there is no '/nonesuch/program'"),
    ],
)
async def test_a_configuration_that_leads_nowhere(far: Far, lines: str, words: str) -> None:
    login = replace(far.login(), host="cluster")
    login.ssh_config.write_text(lines)
    with pytest.raises(UnreachableError) as caught:
        await greet(far.open(login))
    assert words in str(caught.value)


async def test_a_port_that_nobody_listens_on(far: Far) -> None:
    far.sshd.stop()
    with pytest.raises(UnreachableError, match="refuses connections"):
        await greet(far.open())


async def test_a_host_that_says_nothing(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.transport.logging_in.LOGIN_S", 0.2)
    async with Proxy(far.sshd.port) as proxy:
        proxy.stall()
        with pytest.raises(UnreachableError, match=r"gave no answer within 0\.2 s"):
            await greet(far.open(far.login(proxy)))
