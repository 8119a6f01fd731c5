"""Preflight of an SSH resource, over the line that there is: how fast it is, how wide, what disturbs it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from runners.checking.sentences import told_by
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.transport.base import Command, Transport, TransportError
from runners.transport.shells import AT_ONCE
from runners.transport.ssh import SSHTransport

SLOW_S = 1.0
"""A round trip longer than that makes looks at batches slow."""
CLOCK_S = 30.0
"""Clocks that differ by more show runs that end before they began."""

MORE_SESSIONS = "Ask the administrators of the host to allow more in its sshd_config: MaxSessions 10"
"""A remedy where there are too few sessions for each connection, or none."""

_FEW = 2
_TRIES = 3
_ANSWER_S = 15.0

_SHELL = ("sh", "-c", 'printf %s "$SHELL"')
_GUARD = "case $- in *i*) ;; *) return ;; esac"
_START_UP = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshenv",
    "tcsh": "~/.tcshrc",
    "csh": "~/.cshrc",
    "ksh": "~/.kshrc",
    "fish": "~/.config/fish/config.fish",
}
"""What a shell reads that a command is handed to."""


@dataclass(frozen=True, slots=True)
class _Trip:
    """What a round trip has shown."""

    seconds: float
    ahead_s: float | None
    """How far the clock over there is ahead of ours; None: it could not be read."""
    unsure_s: float
    """By how much that may be wrong."""
    said: str


async def line_findings(line: SSHTransport) -> AsyncIterator[Finding]:
    """What the line is like: `round trip`, `channels`, `clock`, `noise`."""
    quiet = line.quiet()
    try:
        trips = [await _trip(quiet) for _ in range(_TRIES)]
    except TransportError as error:
        detail, fix = told_by(error)
        yield Finding("round trip", FindingState.FAILURE, detail, fix or "Check again.")
        return
    yield _round_trip(trips)
    yield await _channels(line)
    yield _clock(trips)
    yield await _noise(line, quiet)


async def _trip(transport: Transport) -> _Trip:
    began = time.time()
    exchange = await transport.exchange([Command(("date", "+%s.%N"))], timeout_s=_ANSWER_S)
    took = time.time() - began
    said = exchange.replies[0].out.decode("utf-8", "replace").strip()
    try:
        ahead = float(said) - (began + took / 2)
    except ValueError:
        return _Trip(transport.line.round_trip_s or took, None, 0.0, said)
    return _Trip(transport.line.round_trip_s or took, ahead, took / 2, said)


def _round_trip(trips: list[_Trip]) -> Finding:
    seconds = min(trip.seconds for trip in trips)
    evidence = ", ".join(f"{trip.seconds * 1000:.0f} ms" for trip in trips)
    if seconds > SLOW_S:
        detail = f"A question and its answer take {seconds:.1f} s: logs and states come late."
        fix = "See whether a nearer login node, or one that is less busy, can be the host of the resource."
        return Finding(
            "round trip", FindingState.WARNING, detail, fix, evidence, of="resource", field="host"
        )  # fmt: skip
    detail = f"A question and its answer take {max(1, round(seconds * 1000))} ms."
    return Finding("round trip", FindingState.OK, detail, evidence=evidence)


async def _channels(line: SSHTransport) -> Finding:
    try:
        count = await line.count_shells()
    except TransportError as error:
        detail, fix = told_by(error)
        return Finding("channels", FindingState.UNTOLD, detail, fix or "Check again.")
    if count < _FEW:
        detail = (
            "The host allows only one session at a time for each connection, so all that Runyard asks of it "
            "waits in one queue."
        )
        return Finding("channels", FindingState.WARNING, detail, MORE_SESSIONS)
    more = " or more" if count >= AT_ONCE else ""
    return Finding("channels", FindingState.OK, f"The host allows {count}{more} sessions at a time.")


def _clock(trips: list[_Trip]) -> Finding:
    told = [trip for trip in trips if trip.ahead_s is not None]
    if not told:
        detail = f"The host does not say what time it is: `date` answers {shown(trips[0].said[:60])!r}."
        return Finding("clock", FindingState.UNTOLD, detail)
    best = min(told, key=lambda trip: trip.unsure_s)
    assert best.ahead_s is not None
    evidence = f"date +%s.%N: {shown(best.said)}, in a round trip of {best.unsure_s * 2:.3f} s"
    if abs(best.ahead_s) - best.unsure_s > CLOCK_S:
        way = "ahead of" if best.ahead_s > 0 else "behind"
        detail = (
            f"The host's clock is {abs(best.ahead_s):,.0f} s {way} this machine's: times are shown wrong."
        )
        fix = (
            "Set the clock that is wrong by NTP, on a system with systemd with: sudo timedatectl set-ntp true"
        )
        return Finding("clock", FindingState.WARNING, detail, fix, evidence)
    return Finding("clock", FindingState.OK, "The clocks agree.", evidence=evidence)


async def _noise(line: SSHTransport, quiet: Transport) -> Finding:
    lines = [text for text in line.noise.decode("utf-8", "replace").splitlines() if text.strip()]
    if not lines:
        return Finding("noise", FindingState.OK, "Start-up files print nothing to commands.")
    try:
        exchange = await quiet.exchange([Command(_SHELL)], timeout_s=_ANSWER_S)
        shell = exchange.replies[0].out.decode("utf-8", "replace").rpartition("/")[2].strip()
    except TransportError:
        shell = ""
    file = _START_UP.get(shell, "the start-up file of the shell")
    several = "a line" if len(lines) == 1 else f"{len(lines)} lines"
    detail = (
        f"Start-up files over there print {several} to every command, beginning with "
        f"{shown(lines[0][:60])!r}; Runyard passes over that, other programs (scp, rsync) may not."
    )
    fix = f"Print only to people, in {file}"
    fix += f"; put this before what prints: {_GUARD}" if shell in ("bash", "ksh") else "."
    return Finding("noise", FindingState.WARNING, detail, fix, "\n".join(shown(one) for one in lines[:20]))
