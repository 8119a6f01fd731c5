"""`runyard resource check`: what would keep runs from working there, printed as it is found out, and last."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import asdict
from typing import TYPE_CHECKING

from runners.config.home import Home
from runners.findings import Finding, FindingState, is_sound
from tui import output
from tui.failure import ExitCode, Failure
from tui.finding_words import addressed, field_words, fix_parts, summary
from tui.signs import sign
from tui.text import pad, plain, width_of, wrapped
from tui.verbs.asking import keep_engine
from tui.verbs.opening import add_json

if TYPE_CHECKING:
    from runners.sample import Sample
    from tui.check_documents import CheckDocuments

_CHECK, _STATE = 25, 9
"""Cells of the first columns; what takes more is not cut, it moves what is behind it."""

_LEAST = 30
"""Cells below which a column of sentences is not worth having."""

_WIDE = 120
"""From this width on what to do has a column of its own, where it fits in there."""

_INDENT = 4
_LABEL = "fix: "
_FIELD = "field: "


def describe(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.description = (
        "Ask the cluster itself whether runs can work there: folders, Python, the way there, SLURM, "
        "partitions, limits, and what SLURM says to the job of a sample of work. Nothing is changed and "
        "nothing is started there. What is not ok comes last. What was asked and answered comes with each "
        "finding in JSON, and with --evidence below each that is not ok."
    )
    parser.add_argument("name", metavar="RESOURCE")
    parser.add_argument("--profile", metavar="P", help="the profile, where there are several")
    parser.add_argument("--tasks", metavar="N", default="100", help="tasks of the sample (default: 100)")
    parser.add_argument("--cpus", metavar="C", default="", help="CPUs that each of them needs")
    parser.add_argument("--mem", metavar="M", default="", help="memory of each: 500M, 4G (1G is 1000 MB)")
    parser.add_argument("--gpu", action="store_true", help="they need a GPU")
    parser.add_argument("--problems", action="store_true", help="print only what is not ok")
    parser.add_argument(
        "--evidence", action="store_true", help="print what was asked and answered, where it is not ok"
    )
    add_json(parser)


def check(args: argparse.Namespace, home: Home) -> int:
    """Have the engine check a resource; unsuccessful where something keeps work from running.

    Raises:
        Failure: the engine can't be used.
        ConfigError: there is no such resource or profile, a file of theirs is broken, or the sample is.
    """
    # Here, since who describes the arguments needs none of it; the sample is the one that forms offer.
    from runners.config.files import read_resource
    from runners.placing import choose_profile
    from tui.check_documents import documents_of
    from tui.preview import SampleTyped

    sample = SampleTyped(args.tasks, args.cpus, args.mem, args.gpu).read()
    resource = read_resource(home.resources, args.name).value
    profile = choose_profile(home.resources, args.name, resource, args.profile)
    documents = documents_of(home, args.name, profile)
    keep_engine(home)
    who = args.name if profile is None else f"{args.name} as {profile}"
    if args.json:
        findings = _found(home, args.name, documents, sample, who, lambda _: None)
        output.array(asdict(finding) for finding in findings if _is_problem(finding) or not args.problems)
    else:
        printer = _Printer(evidence=args.evidence, only_problems=args.problems)
        try:
            findings = _found(home, args.name, documents, sample, who, printer)
        finally:
            printer.end()
        output.line(f"{summary(findings)}.")
    return ExitCode.OK if is_sound(findings) else ExitCode.UNSUCCESSFUL


def _found(
    home: Home,
    name: str,
    documents: CheckDocuments,
    sample: Sample,
    who: str,
    show: Callable[[Finding], None],
) -> list[Finding]:
    """All findings, each shown as it comes. Ctrl-C stops the check."""
    from runners.engine.client import EngineClient, EngineError

    async def read() -> list[Finding]:
        findings: list[Finding] = []
        output.status(f"checking {who}…")
        check = EngineClient(home).check(documents.resource, documents.profile, sample)
        async with aclosing(check) as coming:
            async for found in coming:
                finding = addressed(found, name, documents)
                findings.append(finding)
                output.end_status()
                show(finding)
                problems = sum(map(_is_problem, findings))
                output.status(f"checking {who}… {len(findings)}{f', {problems} not ok' if problems else ''}")
        return findings

    try:
        return asyncio.run(read())
    except EngineError as error:
        raise Failure(str(error), ExitCode.UNAVAILABLE) from error
    finally:
        output.end_status()


def _is_problem(finding: Finding) -> bool:
    return finding.state is not FindingState.OK


class _Printer:
    """Prints findings one below the other, the titles of their columns before the first.

    Problems come last, where they are still to be seen: there may be more checks than lines of a terminal.
    """

    def __init__(self, *, evidence: bool, only_problems: bool) -> None:
        self._titled = False
        self._evidence = evidence
        self._only_problems = only_problems
        self._problems: list[Finding] = []
        """Those that are still to be printed."""

    def __call__(self, finding: Finding) -> None:
        if self._only_problems:
            if _is_problem(finding):
                self._print(finding)
        elif _is_problem(finding):
            self._problems.append(finding)
        else:
            self._print(finding)

    def end(self) -> None:
        """There are no more, or the check was stopped."""
        if self._titled and self._problems:
            output.line()
        for finding in self._problems:
            self._print(finding)
        if self._titled:
            output.line()

    def _print(self, finding: Finding) -> None:
        width = output.terminal_width() if output.to_terminal() else sys.maxsize
        if not self._titled:
            self._titled = True
            output.line(_title(width))
        for line in finding_lines(finding, width):
            output.line(line)
        if self._evidence:
            for line in evidence_lines(finding):
                output.line(line)
        output.flush()


def _title(width: int) -> str:
    left = f"{'check':<{_CHECK}}  {'state':<{_STATE}}  "
    if width < _WIDE or width == sys.maxsize:
        return f"{left}detail"
    return f"{left}{'detail':<{_halves(width - len(left))[0]}}  fix"


def _halves(room: int) -> tuple[int, int]:
    """The cells of what was found, and of what to do, side by side."""
    first = (room - 2) // 2
    return first, room - 2 - first


def finding_lines(finding: Finding, width: int) -> Iterator[str]:
    """A finding in lines of at most *width* cells, except what can be pasted: that is never broken.

    Nothing is cut. A width without bounds is for programs: then it is one line.
    """
    shown = sign(finding.state)
    check, detail, fix = (plain(text, len(text) + 1) for text in (finding.check, finding.detail, finding.fix))
    field = plain(field_words(finding), len(finding.field) + 20) if _is_problem(finding) else ""
    state = f"{shown.glyph} {shown.word}"
    left = f"{pad(check, max(_CHECK, width_of(check)))}  {pad(state, _STATE)}  "
    room = width - width_of(left)
    if width == sys.maxsize:
        more = [f"{_LABEL}{fix}" if fix else "", f"{_FIELD}{field}" if field else ""]
        yield "  ".join([f"{left}{detail}", *filter(None, more)]).rstrip()
        return
    first, second = _halves(room)
    if width >= _WIDE and fix and width_of(detail) <= first and width_of(fix) <= second:
        yield f"{left}{pad(detail, first)}  {fix}"
        if field:
            yield _whole_line(f"{_FIELD}{field}", width - room, room)
        return
    indent = width - room
    if room < _LEAST:
        yield left.rstrip() if width_of(left.rstrip()) <= width else f"{check}  {state}"
        indent = min(_INDENT, width - 1)
        left = " " * indent
        room = width - indent
    for line in wrapped(detail, room):
        yield f"{left}{line}".rstrip()
        left = " " * indent
    if finding.fix:
        yield from _fix_lines(finding.fix, indent, room)
    if field:
        yield _whole_line(f"{_FIELD}{field}", indent, room)


def evidence_lines(finding: Finding) -> Iterator[str]:
    """What was asked and answered about a finding that is not ok, word for word: no line is broken."""
    if _is_problem(finding):
        for line in finding.evidence.splitlines():
            yield f"{' ' * _INDENT}{plain(line, len(line) + 1)}".rstrip()


def _fix_lines(fix: str, indent: int, room: int) -> Iterator[str]:
    """What to do. What can be pasted has lines of its own, where it does not fit behind the sentence."""
    sentence, pasted = fix_parts(fix)
    if pasted and "\n" not in fix and width_of(_LABEL + plain(fix, len(fix) + 1)) <= room:
        sentence, pasted = fix, ""
    label = _LABEL
    for line in wrapped(plain(sentence, len(sentence) + 1), max(1, room - len(_LABEL))):
        yield f"{' ' * indent}{label}{line}"
        label = " " * len(_LABEL)
    for text in pasted.splitlines():
        yield _whole_line(plain(text, len(text) + 1), indent, room)


def _whole_line(line: str, indent: int, room: int) -> str:
    """What is to be copied: what is too long begins further left, and is broken by the terminal only."""
    return f"{' ' * (indent if width_of(line) <= room else min(indent, _INDENT))}{line}"
