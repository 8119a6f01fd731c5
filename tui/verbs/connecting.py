"""`runyard resource connect`: try to reach a resource, and ask in the terminal what that takes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import closing, suppress

from runners.batches import Line
from runners.config.files import read_resource
from runners.config.home import Home
from runners.config.resource import LocalResource
from runners.engine.client import EngineClient, EngineError
from runners.placing import choose_profile
from runners.transport.questions import Kind, Question
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.asking import keep_engine
from tui.verbs.opening import open_store

_LOOK_S = 0.3
"""Between two looks whether something is asked."""


def connect(home: Home, resource: str, profile: str | None) -> int:
    """Try the connection to *resource* as *profile*, and say how that went.

    Ctrl-C refuses the question that is being asked, which ends the attempt; without one it goes on without
    us.

    Raises:
        Failure: it can't be reached, or something is asked and there is no terminal.
        ConfigError: there is no such resource or profile.
    """
    found = read_resource(home.resources, resource).value
    if isinstance(found, LocalResource):
        raise Failure(f"The resource {resource} is this machine: there is nothing to connect to.")
    profile = choose_profile(home.resources, resource, found, profile)
    keep_engine(home)
    line = _attempt(EngineClient(home), home, resource, profile)
    who = f"{resource} as {profile}"
    if not line.up:
        raise Failure(f"{who} can't be reached: {line.trouble}", ExitCode.UNAVAILABLE)
    trip = "" if line.round_trip_s is None else f", {line.round_trip_s * 1000:.0f} ms"
    output.line(f"{who} is up{trip}.")
    return ExitCode.OK


class _Attempt(threading.Thread):
    """The attempt, beside which the person is asked; a daemon, since it may outlast our patience."""

    def __init__(self, client: EngineClient, resource: str, profile: str | None) -> None:
        super().__init__(name="connect", daemon=True)
        self._client = client
        self._key = resource, profile
        self.line: Line | None = None
        self.error: EngineError | None = None

    def run(self) -> None:
        """Connect."""
        try:
            self.line = asyncio.run(self._client.connect(*self._key))
        except EngineError as error:
            self.error = error


def _attempt(client: EngineClient, home: Home, resource: str, profile: str | None) -> Line:
    attempt = _Attempt(client, resource, profile)
    attempt.start()
    output.status(f"connecting to {resource}…")
    try:
        while attempt.is_alive():
            for question in asyncio.run(client.questions()):
                if question.place == _place(home, resource, profile):
                    _answer(client, question, resource)
            attempt.join(_LOOK_S)
    except EngineError as error:
        raise Failure(str(error), ExitCode.UNAVAILABLE) from error
    finally:
        output.end_status()
    if attempt.line is None:
        raise Failure(str(attempt.error), ExitCode.UNAVAILABLE) from attempt.error
    return attempt.line


def _place(home: Home, resource: str, profile: str | None) -> str | None:
    """Where the resource is, as its questions say it; None as long as nobody has written that down."""
    store = open_store(home)
    if store is None:
        return None
    with closing(store):
        places = store.places()
    key = resource, profile or ""
    return next((row.place for row in places if (row.resource, row.profile) == key), None)


def _answer(client: EngineClient, question: Question, resource: str) -> None:
    if not output.can_ask():
        raise Failure(
            f"{resource} asks something and there is no terminal to answer in: run "
            f"`runyard resource connect {resource}` in one, or open the dashboard."
        )
    answers: Sequence[str] | None = None
    try:
        answers = _asked(question)
    finally:
        # Also when the person has had enough: nobody should wait for an answer then.
        with suppress(EngineError):
            asyncio.run(client.answer(question.id, answers))


def _asked(question: Question) -> Sequence[str] | None:
    """The person's answers; None where it is refused."""
    output.end_status()
    for text in question.text.splitlines():
        output.note(text)
    try:
        if question.kind is Kind.HOST_KEY:
            while (word := output.asked("Accept it? (yes/no)", echo=True).strip().lower()) != "yes":
                if word == "no":
                    return None
            return []
        return [output.asked(prompt.label, echo=prompt.echo) for prompt in question.prompts]
    except EOFError:
        return None
