"""`runyard resource edit`: a document in the editor of the person, again and again until it is valid."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from codecs import BOM_UTF8
from json import detect_encoding
from pathlib import Path

from runners.config.documents import Document, read_document, save_document, validate_document
from runners.config.errors import ConfigError, shown
from runners.config.home import Home
from runners.config.json_text import NOTHING, from_json, text_difference, to_json
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.faults import tell_unknown
from tui.verbs.marking import marked, repeated, unmarked

_EDITORS = ("sensible-editor", "nano", "vim", "vi")
"""Where the person names none; the first that there is."""

_FAULTY = "What you typed is not valid"
_HOW = "Lines that begin with # are taken out. To give up, leave without a change."


def edit(home: Home, resource: str, profile: str | None, words: str) -> int:
    """Let the person edit a document, which they call *words*. What is not saved is kept in a file, or said.

    Raises:
        Failure: there is no editor, it fails, or what was typed can't be saved; the file is as it was.
        ConfigError: there is no such document, or it can't be read.
    """
    read = read_document(home.resources, resource, profile)
    editor = _editor()
    # In our own folder: what was typed outlasts us, should we be killed.
    try:
        folder = Path(tempfile.mkdtemp(prefix="edit-", dir=home.state))
        file = folder / f"{read.name}.json"
        keep = False
        try:
            return _until_valid(home, read, editor, file, words)
        except _UnsavedError as error:
            keep = True
            raise Failure(f"{error} What you typed is in {shown(file)}.") from error
        finally:
            if not keep:
                # The editor may have removed it.
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise Failure(f"{words} can't be edited ({error.strerror or error}).") from error


class _UnsavedError(Exception):
    """What was typed could not be saved; the text is a sentence."""


def _until_valid(home: Home, read: Document, editor: list[str], file: Path, words: str) -> int:
    before = unmarked(read.text)
    error = read.error
    given = before
    while True:
        head = [] if error is None else [*_sentences(words, error), _HOW]
        offered = marked(given, head, error.fields) if error else given
        _offer(file, offered)
        _run(editor, file, offered)
        typed = unmarked(_text(file))
        if not typed.strip():
            output.line(f"{words} is as it was: the editor left nothing.")
            return ExitCode.OK
        if typed.rstrip() == given.rstrip():
            if given == before:
                output.line(f"{words} is as it was: nothing was changed.")
                return ExitCode.OK
            # Not lost, though it is not what they want to be asked about once more.
            raise _UnsavedError(f"{words} is as it was. {error}")
        given = typed
        try:
            # The mark of UTF-8, so that it is read as the text that it is, whatever that begins with.
            data = from_json(BOM_UTF8 + typed.encode("utf-8", "surrogateescape"), _FAULTY)
            if twice := repeated(typed):
                raise ConfigError.at(_FAULTY, [(path, "is there twice") for path in twice])
            validate_document(home.resources, read.resource, read.profile, data, _FAULTY)
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
        return ExitCode.OK


def _sentences(words: str, error: ConfigError) -> list[str]:
    if not error.fields:
        return [f"{words} can't be used like this. {error}"]
    count = "is a fault" if len(error.fields) == 1 else f"are {len(error.fields)} faults"
    return [f"{words} can't be used like this: there {count}, marked below."]


def _offer(file: Path, text: str) -> None:
    """Have the file hold the text, for the person only."""
    # Made anew: the editor may have left a link there, and what that leads to is none of our business.
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8", errors="surrogateescape") as opened:
        opened.write(text)


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


def _editor() -> list[str]:
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
    return [found]


def _run(editor: list[str], file: Path, offered: str) -> None:
    # It has the terminal for as long as the person wants; Ctrl-C there is the editor's. A handler, unlike
    # ignoring, is not handed down.
    ours = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.run([*editor, str(file)], check=False).returncode
    except OSError as error:
        raise Failure(
            f"The editor {editor[0]!r} can't be started ({error.strerror or error}); "
            "set EDITOR to another one."
        ) from error
    finally:
        signal.signal(signal.SIGINT, ours)
    if code:
        how = f"ended with exit code {code}" if code > 0 else f"was killed by signal {-code}"
        sentence = f"The editor {editor[0]!r} {how}, so nothing was changed."
        if _text(file) != offered:
            raise _UnsavedError(sentence)
        raise Failure(sentence)
