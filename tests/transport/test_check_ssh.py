"""Check over SSH, against a real sshd: what the lab's own can't be made to show. Nobody is asked anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from runners.check import check_ssh
from runners.checking.ssh import address_findings, key_findings
from runners.checking.ssh_line import line_findings
from runners.checking.ssh_login import login_findings
from runners.config.files import read_profile, read_resource
from runners.config.home import Home
from runners.config.profile import SlurmSSHProfile
from runners.config.resource import SlurmSSHResource
from runners.findings import Finding, FindingState
from runners.sample import Sample
from runners.transport.base import Command, UnreachableError
from tests.clusters import add_cluster
from tests.lab.proxy import Proxy
from tests.transport.far import Far
from tests.transport.sshd import free_port, make_key
from tests.transport.test_ssh_login import agent, answered, asking_host, give_to_agent, greet
from tests.transport.test_ssh_settings import at, configured, gates
from tests.waiting import until

OK, WARNING, FAILURE, UNTOLD = FindingState

__all__ = ["gates"]


async def all_of(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]


def states(findings: Sequence[Finding]) -> list[tuple[str, FindingState]]:
    return [(finding.check, finding.state) for finding in findings]


@pytest.fixture
async def proxy(far: Far) -> AsyncIterator[Proxy]:
    async with Proxy(far.sshd.port) as proxy:
        far.trust(proxy)
        yield proxy


def allow(far: Far, *options: str) -> None:
    """Have the server start anew with other settings."""
    far.sshd.stop()
    far.sshd.options = options
    far.sshd.start()


# The line that there is


async def test_a_line_that_is_up_is_used_as_it_is(far: Far, proxy: Proxy, home: Home, tmp_path: Path) -> None:
    add_cluster(home, "far", "slurm_ssh", host="127.0.0.1", user=far.sshd.user, key=far.sshd.key)
    resource = read_resource(home.resources, "far").value
    profile = read_profile(home.resources, "far", "me").value
    assert isinstance(resource, SlurmSSHResource)
    assert isinstance(profile, SlurmSSHProfile)
    line = far.open(far.login(proxy))
    await greet(line)
    proxy.reset()
    # Who would connect now would have to ask.
    far.known_hosts.unlink()
    far.sshd.key.chmod(0o644)
    found: list[Finding] = []
    async with aclosing(check_ssh(resource, profile, line, line, Sample())) as findings:
        async for finding in findings:
            if finding.check == "sbatch":
                break
            found.append(finding)
    assert states(found) == [
        ("new runs", OK),
        ("local folder", OK),
        ("local folder space", OK),
        ("key file", FAILURE),
        *((check, OK) for check in ("host name", "port", "host key", "login")),
        *((check, OK) for check in ("round trip", "channels", "clock", "noise")),
    ]
    said = {one.check: one.detail for one in found}
    assert said["host name"].endswith(", so its name resolves.")
    assert said["port"].endswith(", so its port answers.")
    assert proxy.connections == 0
    assert far.questions.open() == []


async def test_the_line_that_a_check_has_made_is_kept(far: Far, proxy: Proxy) -> None:
    line = far.open(far.login(proxy))
    assert states(await all_of(login_findings(line))) == [("host key", OK), ("login", OK)]
    assert await greet(line) == "hello"
    assert proxy.connections == 1


async def test_a_line_that_breaks_is_not_made_again(far: Far, proxy: Proxy) -> None:
    line = far.open(far.login(proxy))
    await all_of(login_findings(line))
    proxy.cut()
    assert states(await all_of(line_findings(line))) == [("round trip", FAILURE)]
    assert proxy.connections == 1
    with pytest.raises(UnreachableError, match="no line"):
        await line.quiet().exchange([Command(("true",))], timeout_s=5)
    # Who wants to work may make it again.
    assert await greet(line) == "hello"


async def test_a_check_does_not_hold_up_those_who_ask(far: Far) -> None:
    far.known_hosts.unlink()
    line = far.open()
    checking = asyncio.create_task(all_of(login_findings(line)))
    await asyncio.sleep(0)
    async with answered(far, []):
        # It waits for the attempt of the check, and then makes one that asks.
        assert await greet(line) == "hello"
    assert states(await checking) == [("host key", FAILURE)]


async def test_a_check_leaves_an_attempt_that_asks_alone(far: Far) -> None:
    far.known_hosts.unlink()
    line = far.open()
    greeting = asyncio.create_task(greet(line))
    question = await far.asked()
    (finding,) = await all_of(login_findings(line))
    assert (finding.check, finding.state) == ("login", UNTOLD)
    assert "being logged in to" in finding.detail
    assert far.questions.open() == [question]
    far.questions.answer(question.id, [])
    assert await greeting == "hello"


async def test_who_stops_a_check_ends_its_attempt(far: Far, proxy: Proxy) -> None:
    proxy.stall()
    line = far.open(far.login(proxy))
    checking = asyncio.create_task(all_of(login_findings(line)))
    await until(lambda: proxy.connections)
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    proxy.flow()
    assert await greet(line) == "hello"


async def test_a_line_that_is_closed_ends_the_check(far: Far, proxy: Proxy) -> None:
    proxy.stall()
    line = far.open(far.login(proxy))
    checking = asyncio.create_task(all_of(login_findings(line)))
    await until(lambda: proxy.connections)
    await line.close()
    found = await checking
    assert states(found) == [("login", FAILURE)]
    assert found[0].fix.endswith(f": ssh -v {line.login.user}@{line.login.host} true")


async def test_one_refusal_is_one_attempt(far: Far, proxy: Proxy, tmp_path: Path) -> None:
    (far.sshd.folder / "authorized_keys").write_text("")
    line = far.open(far.login(proxy))
    host, login = await all_of(login_findings(line))
    assert states([host, login]) == [("host key", OK), ("login", FAILURE)]
    # It may be the wrong key as well as the wrong user; a profile always names a key.
    user, key = line.login.user, line.login.key
    assert (login.of, login.field) == ("profile", "ssh_key_path")
    assert f"{key} is the key that the host knows {user!r} by (ssh_key_path of the profile)" in login.fix
    assert f"{user!r} the user to log in as (username)" in login.fix
    copied = f"ssh-copy-id -i {key}.pub -p {proxy.port} {user}@127.0.0.1"
    assert login.fix.endswith(f"authorized_keys there: {copied}")
    # ssh-copy-id needs the public half in a file.
    far.sshd.key.with_suffix(".pub").unlink()
    _, login = await all_of(login_findings(far.open(far.login(proxy))))
    assert f": ssh-keygen -y -f {key} > {key}.pub && ssh-copy-id " in login.fix
    assert proxy.connections == 2
    # And the engine does not try it at once again.
    with pytest.raises(UnreachableError, match="does not let"):
        await greet(line)
    assert proxy.connections == 2


async def test_a_host_that_lets_nobody_in_by_its_name(far: Far) -> None:
    (far.sshd.folder / "authorized_keys").write_text("")
    login = configured(far, ("cluster", *at(far)))
    *_, finding = await all_of(login_findings(far.open(login)))
    # The name is one of Runyard's own SSH settings, of which ssh-copy-id knows nothing.
    assert finding.fix.endswith(f" -p {far.sshd.port} {login.user}@127.0.0.1")


# What only a person can answer


async def test_a_host_that_asks_for_a_code(far: Far) -> None:
    async with asking_host(far) as login:
        line = far.open(login)
        host, found = await all_of(login_findings(line))
        assert states([host, found]) == [("host key", OK), ("login", UNTOLD)]
        assert "PIN, Code" in found.detail
        assert found.evidence.isprintable()
        assert found.fix.endswith("runyard resource connect NAME")
        # A person may answer at once.
        async with answered(far, ["1234", "567890"]):
            assert await greet(line) == "hello"
        assert states(await all_of(login_findings(line))) == [("host key", OK), ("login", OK)]


async def test_an_encrypted_key(far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "locked"
    make_key(key, passphrase="open sesame")
    (far.sshd.folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    far.sshd.key.write_bytes(key.read_bytes())
    far.sshd.key.with_suffix(".pub").write_bytes(key.with_suffix(".pub").read_bytes())
    (finding,) = await all_of(key_findings(far.login()))
    assert finding.state is OK
    assert "asks for its passphrase" in finding.detail
    assert states(await all_of(login_findings(far.open()))) == [("login", UNTOLD)]
    with agent(tmp_path, monkeypatch):
        give_to_agent(far.login().key, "open sesame")
        (finding,) = await all_of(key_findings(far.login()))
        assert "your SSH agent has it" in finding.detail
        assert states(await all_of(login_findings(far.open()))) == [("host key", OK), ("login", OK)]


# Sessions


@pytest.mark.parametrize(("sessions", "state"), [(1, WARNING), (2, OK), (3, OK), (10, OK)])
async def test_a_host_that_allows_few_sessions(far: Far, sessions: int, state: FindingState) -> None:
    allow(far, f"MaxSessions {sessions}")
    line = far.open()
    assert states(await all_of(login_findings(line))) == [("host key", OK), ("login", OK)]
    found = {finding.check: finding for finding in await all_of(line_findings(line))}
    assert found.pop("channels").state is state
    assert {finding.state for finding in found.values()} == {OK}
    # All that is asked gets its answer, one way or the other.
    assert await asyncio.gather(*(greet(line) for _ in range(8))) == ["hello"] * 8


async def test_a_host_that_allows_no_session(far: Far) -> None:
    allow(far, "MaxSessions 0")
    host, channels = await all_of(login_findings(far.open()))
    assert states([host, channels]) == [("host key", OK), ("channels", FAILURE)]
    assert "MaxSessions 10" in channels.fix


async def test_an_account_that_may_run_nothing(far: Far) -> None:
    allow(far, "ForceCommand echo This account has expired. >&2; exit 1")
    host, login = await all_of(login_findings(far.open()))
    assert states([host, login]) == [("host key", OK), ("login", FAILURE)]
    assert "This account has expired." in login.detail


async def test_a_slow_line(far: Far) -> None:
    async with Proxy(far.sshd.port, round_trip_s=1.3) as proxy:
        far.trust(proxy)
        line = far.open(far.login(proxy))
        await all_of(login_findings(line))
        found = {finding.check: finding for finding in await all_of(line_findings(line))}
        assert [one.check for one in found.values() if one.state is not OK] == ["round trip"]
        assert found["round trip"].state is WARNING
        await line.close()


async def test_noise_is_remembered_as_long_as_the_line(far: Far) -> None:
    (far.home / ".bashrc").write_text("echo noise\n")
    line = far.open()
    await greet(line)
    (far.home / ".bashrc").unlink()
    found = {finding.check: finding for finding in await all_of(line_findings(line))}
    assert found["noise"].state is WARNING
    assert "a line" in found["noise"].detail


# Hosts on the way


async def test_a_host_behind_another_one(far: Far, gates: Sequence[Proxy]) -> None:
    gate, _ = gates
    login = configured(far, ("cluster", *at(far), "ProxyJump gate"), ("gate", *at(far, gate)))
    name, port = await all_of(address_findings(login))
    assert states([name, port]) == [("host name", OK), ("port", OK)]
    assert "leads through gate" in name.detail
    assert str(gate.port) in port.detail
    line = far.open(login)
    assert states(await all_of(login_findings(line))) == [("host key", OK), ("login", OK)]
    assert {finding.state for finding in await all_of(line_findings(line))} == {OK}


async def test_a_host_on_the_way_that_lets_another_user_in(far: Far, gates: Sequence[Proxy]) -> None:
    gate, _ = gates
    login = configured(far, ("cluster", *at(far), "ProxyJump gate"), ("gate", "User other", *at(far, gate)))
    *_, finding = await all_of(login_findings(far.open(login)))
    assert (finding.check, finding.state) == ("login", FAILURE)
    assert "does not let 'other' in" in finding.detail
    # The user of the profile is not at fault.
    assert finding.field == "ssh_key_path"
    assert "username" not in finding.fix


async def test_a_host_on_the_way_that_is_not_known(far: Far) -> None:
    login = configured(far, ("cluster", *at(far), "ProxyJump gate.invalid"))
    (name,) = await all_of(address_findings(login))
    assert name.state is FAILURE
    assert "gate.invalid" in name.detail
    assert name.fix.endswith(f"in your SSH configuration ({login.ssh_config}).")


async def test_a_host_on_the_way_on_another_port(far: Far) -> None:
    closed = free_port()
    login = configured(far, ("cluster", *at(far), f"ProxyJump 127.0.0.1:{closed}"))
    name, port = await all_of(address_findings(login))
    assert states([name, port]) == [("host name", OK), ("port", FAILURE)]
    # A Port of the configuration would change nothing.
    assert port.fix.endswith(
        f"its port comes from the ProxyJump of your SSH configuration ({login.ssh_config})."
    )


async def test_a_command_that_leads_there(far: Far, tmp_path: Path) -> None:
    login = configured(far, ("cluster", "ProxyCommand /no/such/program %h"))
    assert states(await all_of(address_findings(login))) == [("host name", OK), ("port", OK)]
    (finding,) = await all_of(login_findings(far.open(login)))
    assert (finding.check, finding.state) == ("login", FAILURE)
    assert "/no/such/program" in finding.detail


async def test_settings_that_cannot_be_read(far: Far) -> None:
    login = configured(far, ("cluster", "Port many"))
    (finding,) = await all_of(address_findings(login))
    assert (finding.check, finding.state) == ("host name", FAILURE)
    assert "SSH configuration" in finding.detail


async def test_a_port_that_gives_no_answer(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.checking.ssh._PORT_S", 0.2)
    async with Proxy(far.sshd.port) as proxy:
        proxy.stall()
        name, port = await all_of(address_findings(far.login(proxy)))
    assert states([name, port]) == [("host name", OK), ("port", FAILURE)]
    assert "it says nothing" in port.detail
