"""Shells of this machine, spoken to as those of another one are."""

import secrets
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runners.transport.base import Command, Exchange, Piece
from runners.transport.framing import START, Frames, exchange_script, message, parts_of, replies_of
from runners.transport.preamble import PREAMBLE

NONCE = secrets.token_hex(16)


@dataclass(frozen=True)
class Said:
    """What a shell has answered to a script."""

    out: Frames
    err: Frames
    code: int


def tell(
    shell: Sequence[str],
    script: bytes,
    *,
    missing: int = 0,
    environment: Mapping[str, str] | None = None,
    nonce: str = NONCE,
) -> Said:
    """Open a shell, send it a script, but for its last *missing* bytes, close it, and return what it said."""
    sent = message(PREAMBLE + script)
    done = subprocess.run(
        [*shell, "-c", START.replace("/bin/sh", shlex.join(shell))],
        input=sent[: len(sent) - missing],
        capture_output=True,
        check=False,
        timeout=60,
        env=environment,
    )
    out, err = Frames(nonce), Frames(nonce)
    out.feed(done.stdout, time.monotonic())
    err.feed(done.stderr, time.monotonic())
    return Said(out, err, done.returncode)


def exchange_with(
    shell: Sequence[str],
    commands: Sequence[Command] = (),
    pieces: Sequence[Piece] = (),
    *,
    timeout_s: float = 10.0,
    stop: bool = False,
) -> Exchange:
    """One exchange with a new shell."""
    said = tell(shell, exchange_script(commands, pieces, NONCE, timeout_s=timeout_s, stop=stop))
    assert said.out.done, said.err.found
    assert said.err.done
    replies = [reply for reply, _ in replies_of(commands, said.out.found, said.err.found, timeout_s)]
    parts = parts_of(pieces, said.out.found[len(commands) + 1 :])
    return Exchange(replies, parts)
