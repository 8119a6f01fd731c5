"""Placeholders in shell scripts. Pure.

The value of a placeholder is never put into the text of a script, where an item called `; rm -rf ~` would be
code. It is handed over as an argument, and the script refers to it by a variable, quoted:

    gzip -c {item} > "out/{name}.gz"
    ry_1=$1 ry_2=$2; gzip -c "${ry_1}" > "out/${ry_2}.gz"          with the arguments ITEM and NAME

Variables, since a function or `set --` gives `$1` another meaning. Whether quotes are needed around one
depends on where it stands, so the script is followed as a shell reads it (POSIX 2017, XCU 2.2 Quoting and
2.6 Word Expansions), and a placeholder is refused where it could not be a plain value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from runners.template import BRACES, TemplateError, resolve

SHELL = "/bin/sh"

_EXPANSION = re.compile(r"""\$\{(?:[^{}'"`\\]|"[^{}'"`\\]*")*\}""")
"""A `${…}` that is the shell's own and simple enough to be passed over as a whole."""

_BACKTICKS = re.compile(r"`(?:[^`\\]|\\.)*`", re.DOTALL)
_SINGLE_QUOTES = re.compile(r"'[^']*'")
_CASE = re.compile(r"case[ \t\n]")
_ACTIVE = re.compile(r'[\\"$`]')
"""What a shell does not take for itself between double quotes."""

_BEFORE_WORD = frozenset(" \t\n;&|()")


class ShellScript(NamedTuple):
    """A script whose placeholders have become variables."""

    text: str
    names: tuple[str, ...]
    """The placeholders whose values the script wants as its arguments, in order."""


@lru_cache(maxsize=64)
def shell_script(template: str, known: frozenset[str]) -> ShellScript:
    """Turn a script with placeholders into one that takes their values as arguments.

    A `${x}` is always the shell's own variable, never a placeholder.

    Raises:
        TemplateError: a placeholder is not *known*, or stands where it can't be a plain value.
    """
    parts = _parts(template, known)
    names = tuple(dict.fromkeys(part.name for part in parts if isinstance(part, _Place)))
    if not names:
        return ShellScript(_joined(parts, {}, {}), ())
    variables = {name: f"${{ry_{number}}}" for number, name in enumerate(names, start=1)}
    script = _joined(parts, {name: f'"{variable}"' for name, variable in variables.items()}, variables)
    assignments = " ".join(f"ry_{number}=${{{number}}}" for number in range(1, len(names) + 1))
    return ShellScript(f"{assignments}; {script}", names)


def with_values(template: str, values: Mapping[str, str]) -> str:
    """A script as a person would type it for these *values*, quoted: it does what `shell_script` does.

    For people to read. What is run takes its values as arguments.

    Raises:
        TemplateError: as `shell_script` does.
    """
    quoted = {name: "'" + value.replace("'", "'\\''") + "'" for name, value in values.items()}
    escaped = {name: _ACTIVE.sub(r"\\\g<0>", value) for name, value in values.items()}
    return _joined(_parts(template, frozenset(values)), quoted, escaped)


class _Place(NamedTuple):
    """Where a value belongs."""

    name: str
    in_quotes: bool
    """It is between two double quotes."""


@lru_cache(maxsize=64)
def _parts(template: str, known: frozenset[str]) -> tuple[str | _Place, ...]:
    scan = _Scan(template, known)
    scan.run()
    return tuple(scan.out)


def _joined(parts: Iterable[str | _Place], bare: Mapping[str, str], in_quotes: Mapping[str, str]) -> str:
    """The script with what stands for each placeholder outside double quotes, and inside."""
    return "".join(
        part if isinstance(part, str) else (in_quotes if part.in_quotes else bare)[part.name]
        for part in parts
    )


class _Level:
    """One nesting of the script: the text itself, a `"…"`, a `$(…)`, or arithmetic."""

    def __init__(self, kind: str, brackets: int = 0) -> None:
        self.kind = kind
        self.brackets = brackets
        """How many are open."""


class _Scan:
    """Follows a script character by character, keeping the nesting of quotes and substitutions."""

    def __init__(self, text: str, known: frozenset[str]) -> None:
        self.text = text
        self.known = known
        self.at = 0
        self.out: list[str | _Place] = []
        self.levels = [_Level("script")]
        # A script without placeholders is handed to the shell whatever is in it.
        self.strict = self._mentions_any()

    def run(self) -> None:
        while self.at < len(self.text):
            level = self.levels[-1]
            if not (self._anywhere(level) or (level.kind != '"' and self._unquoted(level))):
                self._copy(1)
        if self.strict and self.levels[-1].kind == '"':
            raise TemplateError('The script has a " without its partner.')

    def _mentions_any(self) -> bool:
        bare = _EXPANSION.sub("", self.text)
        return any(match[2] in self.known for match in BRACES.finditer(bare))

    def _anywhere(self, level: _Level) -> bool:
        """What means the same with and without double quotes around it; False when nothing such is here."""
        text, at = self.text, self.at
        if text[at] == "\\":
            self._copy(2)
        elif text.startswith("${", at):
            self._copy(self._length(_EXPANSION, "a ${…} with quotes or braces inside"))
        elif text.startswith("$((", at):
            self._push("arithmetic", "$((", brackets=2)
        elif text.startswith("$[", at):
            self._push("arithmetic", "$[", brackets=1)
        elif text.startswith("$(", at):
            self._push("$(", "$(", brackets=1)
        elif text[at] == "`":
            length = self._length(_BACKTICKS, "a ` without its partner")
            self._copy_refusing(length, "inside `…`: write $(…) instead")
        elif text[at] == '"':
            if level.kind == '"':
                self.levels.pop()
            else:
                self.levels.append(_Level('"'))
            self._copy(1)
        elif match := BRACES.match(text, at):
            self._braces(match, level)
        else:
            return False
        return True

    def _unquoted(self, level: _Level) -> bool:
        """What has a meaning outside double quotes only; False when nothing such is here."""
        text, at = self.text, self.at
        begins_word = at == 0 or text[at - 1] in _BEFORE_WORD
        if text.startswith("$'", at) and self.strict:
            raise TemplateError(
                "The script has $'…', which not every sh knows: a placeholder can't be beside it."
            )
        if text[at] == "'":
            length = self._length(_SINGLE_QUOTES, "a ' without its partner")
            self._copy_refusing(
                length,
                "inside '…', where a shell expands nothing: write it outside the quotes, or inside \"…\"",
            )
        elif text[at] == "#" and begins_word:
            line_end = text.find("\n", at)
            self._copy((line_end if line_end >= 0 else len(text)) - at)
        elif text.startswith("<<", at) and level.kind != "arithmetic" and self.strict:
            raise TemplateError(
                "The script has a here-document (<<): a placeholder can't be beside it; use printf."
            )
        elif level.kind == "$(" and begins_word and _CASE.match(text, at) and self.strict:
            raise TemplateError("The script has a case inside $(…): a placeholder can't be beside it.")
        elif text.startswith("((", at) and level.kind != "arithmetic":
            self._push("arithmetic", "((", brackets=2)
        elif text[at] in "()[]":
            self._bracket(level, text[at])
        else:
            return False
        return True

    def _bracket(self, level: _Level, bracket: str) -> None:
        """Count the brackets of a level, which ends with its last one."""
        if bracket in "()" or level.kind == "arithmetic":
            level.brackets += 1 if bracket in "([" else -1
            if level.brackets <= 0 and len(self.levels) > 1:
                self.levels.pop()
        self._copy(1)

    def _braces(self, match: re.Match[str], level: _Level) -> None:
        read = resolve(match, self.known)
        self.at = match.end()
        if read.name is None:
            self.out.append(read.literal)
            return
        if any(outer.kind == "arithmetic" for outer in self.levels):
            # bash runs what it finds in an array index of a number that it is told to reckon with.
            raise TemplateError(
                f"{match[0]} is inside arithmetic, where a shell may read a value as code: "
                "give it to a variable first, and check that it is a number."
            )
        self.out.append(_Place(read.name, level.kind == '"'))

    def _push(self, kind: str, opening: str, *, brackets: int) -> None:
        self.levels.append(_Level(kind, brackets))
        self._copy(len(opening))

    def _copy(self, length: int) -> None:
        self.out.append(self.text[self.at : self.at + length])
        self.at += length

    def _copy_refusing(self, length: int, why: str) -> None:
        """Copy text in which a placeholder can't be a value."""
        end = self.at + length
        for match in BRACES.finditer(self.text, self.at, end):
            read = resolve(match, self.known)
            if read.name is not None:
                raise TemplateError(f"{match[0]} is {why}.")
            self._copy(match.start() - self.at)
            self.out.append(read.literal)
            self.at = match.end()
        self._copy(end - self.at)

    def _length(self, pattern: re.Pattern[str], what: str) -> int:
        """How long the match of *pattern* here is; 1 where there is none and it does not matter."""
        match = pattern.match(self.text, self.at)
        if match:
            return match.end() - match.start()
        if self.strict:
            raise TemplateError(
                f"The script has {what}: a placeholder can't be beside it; "
                "put the script into a file, and give it the placeholder as an argument."
            )
        return 1
