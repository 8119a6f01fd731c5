"""`runyard resource edit`: a document in the editor of the person, again and again until it is valid."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from codecs import BOM_UTF8
from json import detect_encoding
from pathlib import Path

from runners.config.documents import Document, read_document, save_document, validate_document
from runners.config.errors import ConfigError, shown
from runners.config.home import Home
from runners.config.json_text import NOTHING, from_json, text_difference, to_json
from runners.config.wholefile import unfinished_file
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.faults import tell_unknown
from tui.verbs.marking import breaks_at, marked, repeated, unmarked
from tui.verbs.reaching import tell_live
from tui.workplace import Workplace, left_behind, new_workplace

_EDITORS = ("sensible-editor", "nano", "vim", "vi")
"""Where the person names none; the first that there is."""

_FAULTY = "What you typed is not valid"
_TAKEN_OUT = "Lines that begin with # are taken out."
_HOW = f"{_TAKEN_OUT} To give up, leave without a change."


def edit(home: Home, resource: str, profile: str | None, words: str, *, fresh: bool) -> int:
    """Let the person edit a document, which they call *words*. What is not saved is kept in a file, and said.

    What an edit before left unsaved is opened again, unless it is to be a *fresh* one: then it is dropped.

    Raises:
        Failure: there is no editor, it fails, or what was typed can't be saved; the file is as it was.
        ConfigError: there is no such document, or it can't be read.
    """
    read = read_document(home.resources, resource, profile)
    editor = _editor(read)
    # In our own folder: what was typed outlasts us, should we be killed.
    try:
        place, told = _workplace(home, read, words, fresh=fresh)
        keep = True
        try:
            code = _until_valid(home, read, editor, place, told, words)
            keep = False
        except _UnsavedError as error:
            more = f" ({beside} beside it may hold more)" if (beside := _beside(place)) else ""
            where = f"What you typed is in {shown(place.file)}{more}, and the next edit opens it again"
            raise Failure(f"{error} {where}; {_fresh(read)} drops it.") from error
        except Failure:
            # Nothing was typed.
            keep = False
            raise
        finally:
            if keep:
                place.keep()
            else:
                place.drop()
        return code
    except OSError as error:
        raise Failure(f"{words} can't be edited ({error.strerror or error}).") from error


class _UnsavedError(Exception):
    """What was typed could not be saved; the text is a sentence."""


def _workplace(home: Home, read: Document, words: str, *, fresh: bool) -> tuple[Workplace, list[str]]:
    """Where to edit, and what to tell of what was left there: that of the last edit that was not saved."""
    before = unmarked(read.text)
    left, under_way = left_behind(home.state, read, _differs)
    it = f"{words[0].lower()}{words[1:]}"
    for file in under_way:
        output.note(f"{words} is being edited elsewhere too, in {shown(file)}.")
    if fresh:
        for place in left:
            place.drop()
            output.note(f"The edit of {it} from {_when(place)}, which was not saved, has been dropped.")
        left = []
    if not left:
        return new_workplace(home.state, read, before), []
    place, *older = left
    for each in older:
        each.keep()
    output.note(
        f"An edit of {it} from {_when(place)} was not saved, so it is opened again; {_fresh(read)} drops it."
    )
    told = [
        f"This edit of {it}, from {_when(place)}, was not saved.",
        "Write it, changed or not, to save it; leave without writing to keep it for later.",
        f"{_fresh(read)} drops it.",
    ]
    if place.begun.rstrip() != before.rstrip():
        diff = _command(read, "diff", str(place.file))
        told.append(f"The file was changed since then, which saving may take back: {diff} shows how.")
    if beside := _beside(place):
        told.append(f"The editor left {beside} beside it, which may hold more.")
    if older:
        ones = "An older one comes" if len(older) == 1 else f"{len(older)} older ones come"
        told.append(f"{ones} up after it, from {', '.join(map(_when, older))}.")
    return place, told


def _differs(file: Path, begun: str) -> bool:
    return unmarked(_text(file)).rstrip() != begun.rstrip()


def _beside(place: Workplace) -> str:
    return ", ".join(map(shown, place.beside()))


def _when(place: Workplace) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(place.left))


def _fresh(read: Document) -> str:
    return _command(read, "edit", "--fresh")


def _command(read: Document, verb: str, *more: str) -> str:
    name = [read.resource] if read.profile is None else [read.resource, read.profile]
    return f"`{shlex.join(['runyard', read.what, verb, *name, *more])}`"


def _until_valid(
    home: Home, read: Document, editor: list[str], place: Workplace, told: list[str], words: str
) -> int:
    before = unmarked(read.text)
    error = read.error
    given = before
    left = place.left
    if left is not None:
        given, error = unmarked(_text(place.file)), None
        try:
            _document(home, read, given)
        except ConfigError as found:
            error = found
    while True:
        # The head is above what is told of: as many lines more has the file that is open in the editor.
        why = "" if error is None else _why(error, given, len(told) + 2)
        faults = [] if error is None else [_sentence(words, error, why)]
        head = [*told, *faults, _TAKEN_OUT if told else _HOW] if told or faults else []
        offered = marked(given, head, error.fields if error else ()) if head else given
        _offer(place.file, offered, left)
        written = place.file.stat().st_mtime_ns
        try:
            _run(editor, place)
            typed = unmarked(_text(place.file))
        except Failure as failed:
            typed = _rescued(place, given)
            if place.left is not None or typed.rstrip() != before.rstrip() or place.beside():
                raise _UnsavedError(str(failed)) from failed
            raise
        # Before all else: what the text holds says nothing of what the editor has left beside it.
        if left is not None and place.file.exists() and place.file.stat().st_mtime_ns == written:
            raise _UnsavedError(f"{words} is as it was, since the editor wrote nothing.")
        if not typed.strip():
            output.line(f"{words} is as it was: the editor left nothing.")
            return ExitCode.OK
        if typed.rstrip() == before.rstrip():
            output.line(f"{words} is as it was: nothing was changed.")
            return ExitCode.OK
        if left is None and typed.rstrip() == given.rstrip():
            # Not lost, though it is not what they want to be asked about once more.
            raise _UnsavedError(f"{words} is as it was. {why}")
        given, left, told = typed, None, []
        try:
            data = _document(home, read, typed)
        except ConfigError as found:
            error = found
            continue
        if read.data is not NOTHING and to_json(data) == to_json(read.data):
            output.line(f"{words} is as it was: nothing was changed.")
            return ExitCode.OK
        try:
            save_document(home.resources, read, data)
        except ConfigError as found:
            if not found.fields:
                raise _UnsavedError(str(found)) from found
            error = found
            continue
        # One that was no JSON is compared as the text that it was; of others, layout is no difference.
        was = read.text if read.data is NOTHING else to_json(read.data).decode()
        for line in text_difference(was, to_json(data).decode(), read.name):
            output.line(line)
        output.line(f"{words} has been saved.")
        tell_unknown(data, read.data, profile=read.profile is not None)
        tell_live(home, read.resource, read.profile)
        return ExitCode.OK


def _document(home: Home, read: Document, typed: str) -> object:
    """What was typed, as JSON. Raises ConfigError where it is not valid."""
    # The mark of UTF-8, so that it is read as the text that it is, whatever that begins with.
    data = from_json(BOM_UTF8 + typed.encode("utf-8", "surrogateescape"), _FAULTY)
    if twice := repeated(typed):
        raise ConfigError.at(_FAULTY, [(path, "is there twice") for path in twice])
    validate_document(home.resources, read.resource, read.profile, data, _FAULTY)
    return data


def _why(error: ConfigError, text: str, above: int) -> str:
    """What is wrong with *text*, where it stands in a file with so many lines *above* it: a sentence."""
    if (broken := breaks_at(text)) is None:
        return str(error)
    line, column, reason = broken
    return f"The text is not valid JSON: {reason} in line {line + above}, column {column}."


def _sentence(words: str, error: ConfigError, why: str) -> str:
    if not error.fields:
        return f"{words} can't be used like this. {why}"
    count = "is a fault" if len(error.fields) == 1 else f"are {len(error.fields)} faults"
    return f"{words} can't be used like this: there {count}, marked below."


def _offer(file: Path, text: str, written: float | None) -> None:
    """Have the file hold the text, for the person only; as one that was *written* then, if that is told."""
    # Made anew: the editor may have left a link there, and what that leads to is none of our business.
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    # In one step: where there is no room for it, what was typed before stays.
    with unfinished_file(file, text.encode("utf-8", "surrogateescape"), 0o600) as new:
        if written is not None:
            os.utime(new, (written, written))
        os.replace(new, file)


def _rescued(place: Workplace, given: str) -> str:
    """What an editor that failed left in the file; if that is nothing, what it was *given* is put back."""
    with contextlib.suppress(Failure):
        if (typed := unmarked(_text(place.file))).strip():
            return typed
    _offer(place.file, given, place.left)
    return given


def _text(file: Path) -> str:
    if not file.is_file() and os.path.lexists(file):
        raise Failure(f"The editor left something at {shown(file)} that is no file, so nothing was changed.")
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return ""
    # Some editors save as UTF-16, which JSON may be written in.
    if not (encoding := detect_encoding(content)).startswith("utf-8"):
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode(encoding).removeprefix("\ufeff")
    return content.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def _editor(read: Document) -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        value = os.environ.get(variable, "").strip()
        if value:
            try:
                return shlex.split(value)
            except ValueError as error:
                raise Failure(
                    f"{variable} is {value!r}, which can't be read as a command ({error})."
                ) from error
    found = next((each for name in _EDITORS if (each := shutil.which(name))), None)
    if found is None:
        raise Failure("There is no editor; set EDITOR to the command of one.")
    if not (sys.stdin.isatty() and output.to_terminal()):
        # One that a person has named may need none.
        raise Failure(
            "There is no terminal for an editor; set EDITOR to a command that needs none, or change fields "
            f"with {_command(read, 'set')}."
        )
    return [found]


def _run(editor: list[str], place: Workplace) -> None:
    # It has the terminal for as long as the person wants; Ctrl-C there is the editor's. A handler, unlike
    # ignoring, is not handed down.
    ours = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        # With the lock: nobody opens the same text again while the editor is there, should we be killed.
        command = [*editor, str(place.file)]
        code = subprocess.run(command, check=False, pass_fds=[place.lock]).returncode
    except OSError as error:
        raise Failure(
            f"The editor {editor[0]!r} can't be started ({error.strerror or error}); "
            "set EDITOR to another one."
        ) from error
    finally:
        signal.signal(signal.SIGINT, ours)
    if code:
        how = f"ended with exit code {code}" if code > 0 else f"was killed by signal {-code}"
        raise Failure(f"The editor {editor[0]!r} {how}, so nothing was changed.")
