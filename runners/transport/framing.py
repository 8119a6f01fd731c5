"""One round trip with a remote shell: the script that goes there, and the answers in what comes back. Pure.

Whatever a login prints on its own, however a command behaves: what counts stands between *marks*, lines with
a word drawn for one exchange alone, on standard output and standard error alike. No text of ours is ever read
by the shell but as one argument, or as one command's input.
"""

import base64
import re
import secrets
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runners.transport.base import NOT_RUN, Command, Part, Piece, Reply, TransportError

_KILL_S = 5
"""Between asking a command that is late to end, and killing it."""

PROLOGUE = rb"""
LC_ALL=C SLURM_TIME_FORMAT=standard
export LC_ALL SLURM_TIME_FORMAT
unset SQUEUE_FORMAT SQUEUE_FORMAT2 SQUEUE_STATES SQUEUE_USERS SQUEUE_PARTITION SQUEUE_SORT SQUEUE_NAMES
unset SACCT_FORMAT SINFO_FORMAT SLURM_CLUSTERS SLURM_JOB_ID SLURM_JOBID
unset $(env | sed -n 's/^\(SBATCH_[A-Za-z0-9_]*\)=.*/\1/p')
umask 077
cd / || exit 1
ry_mark() {
    printf '\n@%s %s\n' "$ry_word" "$*"
    printf '\n@%s %s\n' "$ry_word" "$*" >&2
}
ry_piece() {
    if [ ! -e "$2" ]; then
        printf '\n@%s n %s\n' "$ry_word" "$1"
        return
    fi
    if [ ! -f "$2" ]; then
        printf '\n@%s x %s it is not a regular file\n' "$ry_word" "$1"
        return
    fi
    if [ ! -r "$2" ]; then
        printf '\n@%s x %s Permission denied\n' "$ry_word" "$1"
        return
    fi
    ry_size=$(($(wc -c <"$2")))
    ry_from=$3
    if [ "$ry_from" -lt 0 ]; then
        ry_from=$((ry_size + ry_from))
        [ "$ry_from" -ge 0 ] || ry_from=0
    fi
    printf '\n@%s p %s %s %s\n' "$ry_word" "$1" "$ry_from" "$ry_size"
    if [ "$ry_from" -lt "$ry_size" ]; then
        tail -c "+$((ry_from + 1))" "$2" </dev/null | head -c "$4"
    fi
    printf '\n@%s q %s\n' "$ry_word" "$1"
}
"""
"""What a shell is told first."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is sent, and how to know when all has come back."""

    text: bytes
    word: bytes
    """What all marks of this exchange carry."""

    @property
    def begun(self) -> bytes:
        """The mark that comes at once."""
        return b"\n@%s a\n" % self.word

    @property
    def ended(self) -> bytes:
        """The last mark on both outputs."""
        return b"\n@%s z\n" % self.word


def script(
    commands: Sequence[Command], pieces: Sequence[Piece], *, timeout_s: float, stop: bool, tail: bytes = b""
) -> Script:
    """The script of one exchange; *tail* is shell text of our own, run at the end.

    Raises:
        TransportError: something can't be handed to a program: it holds a NUL.
    """
    word = secrets.token_hex(8).encode()
    lines = [b"ry_word=%s; ry_code=0; ry_mark a" % word]
    for number, command in enumerate(commands):
        run = b"timeout -k %d %g %s" % (_KILL_S, timeout_s, b" ".join(map(quoted, command.argv)))
        if stop:
            lines.append(b'if [ "$ry_code" -eq 0 ]; then')
        lines += [b"ry_mark c %d" % number, *_with_input(run, command.stdin), b"ry_code=$?"]
        lines.append(b'ry_mark r %d "$ry_code"' % number)
        if stop:
            lines.append(b"fi")
    lines += [
        b"ry_piece %d %s %d %d" % (number, quoted(piece.path), piece.offset, piece.limit)
        for number, piece in enumerate(pieces)
    ]
    if tail:
        lines += [b"ry_mark t", tail, b"ry_mark u"]
    lines.append(b"ry_mark z\n")
    return Script(b"\n".join(lines), word)


def quoted(text: str) -> bytes:
    """*text* as one word for a shell.

    Raises:
        TransportError: it holds a NUL.
    """
    if "\0" in text:
        raise TransportError(f"{text!r} can't be handed to a program: it holds a NUL")
    return shlex.quote(text).encode("utf-8", "surrogateescape")


def _with_input(run: bytes, data: bytes) -> list[bytes]:
    """The lines that run a command with *data* as its standard input."""
    if not data:
        return [run + b" </dev/null"]
    if data.endswith(b"\n") and b"\0" not in data:
        end = _end_for(data)
        return [run + b" <<'%s'" % end, data + end]
    encoded = base64.encodebytes(data)
    end = _end_for(encoded)
    return [b"base64 -d <<'%s' | %s" % (end, run), encoded + end]


def _end_for(data: bytes) -> bytes:
    """A line that is not in *data*."""
    while (end := b"END_%s" % secrets.token_hex(8).encode()) in data:
        continue
    return end


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back, read."""

    replies: Sequence[Reply]
    parts: Sequence[Part | None]
    tail: bytes
    """What the shell text at the end printed."""
    seconds: Sequence[float]
    """How long each command took."""


class IncompleteError(TransportError):
    """The answer is not whole."""


def read_answers(
    sent: Script,
    out: bytes,
    err: bytes,
    commands: Sequence[Command],
    pieces: Sequence[Piece],
    when: Callable[[int], float] = lambda _: 0.0,
) -> Answers:
    """Cut what came on standard output and standard error into answers.

    Args:
        sent: what was sent.
        out: all that came on standard output.
        err: all that came on standard error.
        commands: what was to be run.
        pieces: what was to be read.
        when: the time at which the byte with this number had come on standard output.

    Raises:
        IncompleteError: something of it is missing.
    """
    marks = re.compile(rb"\n@%s (?:([a-z])(?: (\d+))?(?: ([^\n]*))?)\n" % sent.word)
    said: dict[int, bytes] = {}
    begin = 0
    for mark in marks.finditer(err):
        if mark[1] == b"c":
            begin = mark.end()
        elif mark[1] == b"r":
            said[int(mark[2])] = err[begin : mark.start()]
    replies: dict[int, Reply] = {}
    seconds: dict[int, float] = {}
    parts: dict[int, Part | None] = {}
    place, size, tail = 0, 0, b""
    for mark in marks.finditer(out):
        kind, number, rest = mark[1], int(mark[2] or 0), mark[3] or b""
        match kind:
            case b"c" | b"t":
                begin = mark.end()
            case b"r":
                replies[number] = Reply(int(rest), out[begin : mark.start()], said.get(number, b""))
                seconds[number] = when(mark.end()) - when(begin)
            case b"u":
                tail = out[begin : mark.start()]
            case b"p":
                place, size = map(int, rest.split())
                begin = mark.end()
            case b"q":
                parts[number] = Part(out[begin : mark.start()], place, size)
            case b"n":
                parts[number] = None
            case b"x":
                path = pieces[number].path
                parts[number] = Part(b"", 0, 0, f"{path!r} can't be read: {rest.decode('ascii', 'replace')}")
    if len(parts) != len(pieces) or (commands and 0 not in replies):
        raise IncompleteError("the answer is not whole")
    not_run = Reply(NOT_RUN, b"", b"")
    return Answers(
        [replies.get(number, not_run) for number in range(len(commands))],
        [parts[number] for number in range(len(pieces))],
        tail,
        [seconds.get(number, 0.0) for number in range(len(commands))],
    )


def tar_of(paths: Sequence[str], limit: int) -> bytes:
    """Shell text that prints a tar file of those of *paths* that are regular files of at most *limit* bytes.

    Raises:
        TransportError: a path can't be asked for.
    """
    if bad := next((path for path in paths if not path.startswith("/")), None):
        raise TransportError(f"{bad!r} can't be fetched: it is not an absolute path")
    names = b" ".join(map(quoted, paths))
    return (
        b"find %s -maxdepth 0 -type f -size -%dc -print0 </dev/null 2>/dev/null |"
        b" tar -c -P -f - --no-recursion --null -T - 2>/dev/null" % (names, limit + 1)
    )
