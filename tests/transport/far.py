"""Another machine, as far as SSH is concerned: a real sshd, a user there, and a client's own settings."""

from dataclasses import dataclass, field
from pathlib import Path

from runners.transport.login import Login
from runners.transport.questions import Question, Questions
from runners.transport.records import CommandRecord
from runners.transport.ssh import SSHTransport
from tests.lab.proxy import Proxy
from tests.transport.sshd import Sshd
from tests.waiting import until


@dataclass
class Far:
    """Everything that a test of SSH needs."""

    sshd: Sshd
    home: Path
    """The user's, over there."""
    here: Path
    """The folder of the client's SSH settings."""
    questions: Questions = field(default_factory=Questions)
    records: list[CommandRecord] = field(default_factory=list)
    transports: list[SSHTransport] = field(default_factory=list)

    @property
    def known_hosts(self) -> Path:
        """Where accepted hosts are kept."""
        return self.here / "known_hosts"

    def login(self, proxy: Proxy | None = None) -> Login:
        """How to log in, perhaps through a proxy."""
        return self.sshd.login(self.here, port=proxy.port if proxy else None)

    def trust(self, *proxies: Proxy) -> None:
        """Have the host known, also where proxies stand for it."""
        self.here.mkdir(exist_ok=True)
        self.known_hosts.write_text(
            "".join([self.sshd.known(), *(self.sshd.known(proxy.port) for proxy in proxies)])
        )

    def open(self, login: Login | None = None) -> SSHTransport:
        """A transport of its own."""
        asks, record = self.questions.ask, self.records.append
        transport = SSHTransport(login or self.login(), ask=asks, record=record)
        self.transports.append(transport)
        return transport

    async def asked(self) -> Question:
        """The question that is open, once there is one."""
        return (await until(self.questions.open))[0]

    async def close(self) -> None:
        """Close all transports, and end the server."""
        for transport in self.transports:
            await transport.close()
        self.sshd.stop()
