"""What SSH configurations may say: what leads to a host is followed, and what would weaken us is not."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from runners.transport.base import Command, TransportError, UnreachableError
from runners.transport.login import Login
from runners.transport.questions import Kind, Questions
from tests.lab.proxy import Proxy
from tests.transport.far import Far
from tests.transport.sshd import free_port, make_key
from tests.transport.test_ssh_login import agent, answered, asking_host, give_to_agent, greet
from tests.waiting import until


@pytest.fixture
async def gates(far: Far) -> AsyncIterator[Sequence[Proxy]]:
    """The host under two more names."""
    async with AsyncExitStack() as stack:
        gates = [await stack.enter_async_context(Proxy(far.sshd.port)) for _ in range(2)]
        far.trust(*gates)
        yield gates
        # A connection that leads through others ends before them.
        await far.close()


def configured(far: Far, *hosts: Sequence[str]) -> Login:
    """A login to `cluster`; of each host the pattern, and its settings."""
    login = replace(far.login(), host="cluster")
    lines = [f"Host {name}\n" + "".join(f"  {line}\n" for line in settings) for name, *settings in hosts]
    login.ssh_config.write_text("".join(lines))
    return login


def at(far: Far, gate: Proxy | None = None) -> tuple[str, str, str]:
    return ("HostName 127.0.0.1", f"Port {gate.port if gate else far.sshd.port}", f"User {far.sshd.user}")


WEAK = (
    "StrictHostKeyChecking no",
    "UserKnownHostsFile /dev/null",
    "GlobalKnownHostsFile /dev/null",
    "CheckHostIP no",
    "VerifyHostKeyDNS yes",
)


async def test_a_new_host_is_asked_for_however_careless_ssh_is(far: Far) -> None:
    far.known_hosts.unlink()
    transport = far.open(configured(far, ("cluster", *at(far), *WEAK)))
    async with answered(far, None) as asked:
        with pytest.raises(UnreachableError, match="you refused to answer"):
            await greet(transport)
    assert asked[0].kind is Kind.HOST_KEY


async def test_a_changed_host_is_refused_however_careless_ssh_is(far: Far) -> None:
    far.sshd.stop()
    far.sshd.new_host_key()
    far.sshd.start()
    transport = far.open(configured(far, ("cluster", *at(far), *WEAK)))
    with pytest.raises(UnreachableError, match="has changed"):
        await greet(transport)
    assert far.questions.open() == []


async def test_what_makes_ssh_do_more_than_connect_is_not_done(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, forwarded = tmp_path / "done", free_port()
    more = (
        *("RequestTTY force", "RemoteCommand echo no", "SessionType none", "ForkAfterAuthentication yes"),
        *("ForwardAgent yes", "ForwardX11 yes", "ForwardX11Trusted yes", "ClearAllForwardings no"),
        *(f"LocalForward {forwarded} 127.0.0.1:{far.sshd.port}", f"DynamicForward {forwarded}"),
        *("PermitLocalCommand yes", f"LocalCommand touch {done}"),
        *("ControlMaster yes", f"ControlPath {done}", "ControlPersist yes"),
        *("SetEnv SBATCH_PARTITION=other SQUEUE_FORMAT=%i", "SendEnv SECRET"),
    )
    monkeypatch.setenv("DISPLAY", ":77")
    with agent(tmp_path, monkeypatch):
        give_to_agent(str(far.sshd.key))
        far.sshd.stop()
        far.sshd.options = ("AcceptEnv SBATCH_* SQUEUE_*",)
        far.sshd.start()
        transport = far.open(configured(far, ("cluster", *at(far), *more)))
        exchange = await transport.exchange(
            [Command(("env",)), Command(("sh", "-c", "tty; echo err >&2"))], timeout_s=5
        )
        env, tty = exchange.replies
        names = {line.partition("=")[0] for line in env.out.decode().splitlines()}
        assert not names & {"SSH_AUTH_SOCK", "DISPLAY", "SSH_TTY", "SBATCH_PARTITION", "SQUEUE_FORMAT"}
        assert (tty.out, tty.err) == (b"not a tty\n", b"err\n")
        assert not done.exists()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", forwarded)


async def test_the_user_and_the_key_are_the_profiles(far: Far, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    more = (
        "User nobody",
        f"IdentityFile {tmp_path}/other",
        "IdentitiesOnly yes",
        "PasswordAuthentication no",
    )
    assert await greet(far.open(configured(far, ("cluster", *at(far)[:2], *more)))) == "hello"


async def test_settings_of_runyard_go_before_those_of_the_user(far: Far, tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text(
        f"Host cluster\n  HostName 127.0.0.1\n  Port {free_port()}\nHost theirs\n  HostName 127.0.0.1\n"
        f"  Port {far.sshd.port}\n"
    )
    login = configured(far, ("cluster", *at(far)))
    assert await greet(far.open(login)) == "hello"
    assert await greet(far.open(replace(login, host="theirs"))) == "hello"
    assert await greet(far.open(replace(login, host="theirs", ssh_config=tmp_path / "none"))) == "hello"


async def test_of_several_keys_of_a_host_the_known_kind_is_asked_for(far: Far) -> None:
    make_key(far.sshd.folder / "rsa", "rsa")
    far.sshd.stop()
    far.sshd.options = (f"HostKey {far.sshd.folder}/rsa",)
    far.sshd.start()
    public = (far.sshd.folder / "rsa.pub").read_text().split()
    far.known_hosts.write_text(f"[127.0.0.1]:{far.sshd.port} {public[0]} {public[1]}\n")
    assert await greet(far.open()) == "hello"


async def test_a_host_on_the_way_has_a_way_of_its_own(far: Far, gates: Sequence[Proxy]) -> None:
    near, outer = gates
    login = configured(
        far,
        ("cluster", *at(far), "ProxyJump gate"),
        ("gate", *at(far, near), "ProxyJump outer"),
        ("outer", *at(far, outer)),
    )
    assert await greet(far.open(login)) == "hello"
    assert (near.connections, outer.connections) == (1, 1)


async def test_a_way_in_a_circle_is_gone_once(far: Far, gates: Sequence[Proxy]) -> None:
    gate, other = gates
    login = configured(
        far,
        ("gate", *at(far, gate)),
        ("other", *at(far, other), "ProxyJump gate"),
        ("cluster", *at(far)),
        ("*", "ProxyJump other"),
    )
    assert await greet(far.open(login)) == "hello"
    assert (gate.connections, other.connections) == (1, 1)
    assert await greet(far.open(replace(login, host="other"))) == "hello"


async def test_a_host_on_the_way_that_is_cut_takes_all_with_it(far: Far, gates: Sequence[Proxy]) -> None:
    gate, _ = gates
    login = configured(far, ("cluster", *at(far), "ProxyJump gate"), ("gate", *at(far, gate)))
    transport = far.open(login)
    assert await greet(transport) == "hello"
    busy = asyncio.create_task(transport.run(["sleep", "9"], timeout_s=20))
    await asyncio.sleep(0.3)
    gate.cut()
    async with asyncio.timeout(5):
        with pytest.raises(TransportError, match="line was lost"):
            await busy
    assert await greet(transport) == "hello"
    assert gate.connections == 2


async def test_a_command_can_be_the_line(far: Far) -> None:
    port = far.sshd.port
    script = far.sshd.folder / "line"
    script.write_text(
        f"#!/bin/bash\nexec 3<>/dev/tcp/$1/{port}\ncat <&3 &\ncat >&3\nkill $!\n",
    )
    script.chmod(0o755)
    far.known_hosts.write_text(f"cluster {far.sshd.host_key}\n")
    transport = far.open(configured(far, ("cluster", f"ProxyCommand {script} 127.0.0.1")))
    assert await greet(transport) == "hello"
    await transport.close()

    def there() -> str:
        return subprocess.run(["pgrep", "-f", str(script)], capture_output=True, text=True).stdout

    await until(lambda: not there())


async def test_a_question_is_withdrawn_when_the_host_hangs_up(far: Far) -> None:
    async with asking_host(far) as there:
        async with Proxy(int(there.ssh_config.read_text().split("Port")[1])) as proxy:
            far.known_hosts.write_text(far.sshd.known(proxy.port))
            asking = asyncio.create_task(greet(far.open(far.sshd.login(far.here, port=proxy.port))))
            await far.asked()
            proxy.cut()
            with pytest.raises(UnreachableError, match="closed the line"):
                await asking
            await until(lambda: not far.questions.open())


async def test_a_question_that_nobody_answers_ends_the_attempt(far: Far) -> None:
    far.known_hosts.unlink()
    far.questions = Questions(patience_s=0.2)
    transport = far.open()
    with pytest.raises(UnreachableError, match=r"waits for a person .* runyard resource connect NAME"):
        await greet(transport)
    assert far.questions.open() == []
    assert not far.known_hosts.exists()
    assert transport.line.up is False


async def test_a_question_is_withdrawn_when_the_line_is_closed(far: Far) -> None:
    far.known_hosts.unlink()
    transport = far.open()
    asking = asyncio.create_task(greet(transport))
    await far.asked()
    await transport.close()
    with pytest.raises(UnreachableError, match="the line was closed"):
        await asking
    assert far.questions.open() == []


@pytest.mark.parametrize("argv", [("echo", "a\0b"), ("echo", "\ud800")])
async def test_what_no_command_can_be_given_is_a_sentence(far: Far, argv: tuple[str, ...]) -> None:
    with pytest.raises(TransportError, match="can't be asked of"):
        await far.open().exchange([Command(argv)], timeout_s=5)
