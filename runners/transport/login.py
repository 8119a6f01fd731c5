"""Where to log in, as whom, and whom to ask on the way."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.transport.base import UnreachableError
from runners.transport.questions import Kind, NoAnswerError, Prompt

Ask = Callable[[str, Kind, str, Sequence[Prompt]], Coroutine[Any, Any, Sequence[str]]]
"""Asks a person, as `Questions.ask` does."""


def owner_of(user: str, host: str) -> str:
    """See `BaseRunner.owner`."""
    return f"ssh:{user}@{host}"


def place_of(user: str, host: str, key: str) -> str:
    """See `BaseRunner.place`: whether one gets there depends on the key."""
    return f"{owner_of(user, host)} ({key})"


@dataclass(frozen=True, slots=True)
class Login:
    """Where to log in, and as whom."""

    host: str
    """A name, an address, or a name that an SSH configuration knows."""
    user: str
    key: str
    """The file of the private key."""
    ssh_config: Path
    """SSH settings that go before the user's own; need not be there."""
    known_hosts: Path
    """Where the keys of accepted hosts are kept; need not be there."""

    @property
    def place(self) -> str:
        """See `BaseRunner.place`."""
        return place_of(self.user, self.host, self.key)


class LoginRefusedError(UnreachableError):
    """The host does not let us in: trying again and again might get the user locked out."""


class UnansweredError(LoginRefusedError):
    """The host asks what only a person can answer, and nobody did."""


class HostKeyChangedError(UnreachableError):
    """A host shows another key than the one that it is known by."""


def unanswered(host: str, what: str, error: NoAnswerError) -> str:
    """Why there is no connection to *host*, where a person was asked *what*."""
    if error.refused:
        return f"you refused to answer for {host!r} ({what}); connect again to be asked again"
    return (
        f"{host!r} waits for a person ({what}); answer in the dashboard, "
        "or with: runyard resource connect NAME"
    )
