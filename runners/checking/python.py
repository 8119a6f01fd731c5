"""Preflight of the Python that runs the worker: is it there, old enough, and whole?"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from runners.checking.sentences import sentence, told_by
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.transport.base import ABSENT, Reply, TransportError

OLDEST = (3, 6)
"""What the worker needs."""

_MODULES = (
    "array",
    "errno",
    "json",
    "os",
    "re",
    "resource",
    "select",
    "selectors",
    "signal",
    "subprocess",
    "time",
)
"""What the worker imports."""

# For any Python, also one that is too old.
_CODE = f"""
import sys
missing = []
for name in {_MODULES!r}:
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
sys.stdout.write("runyard %d.%d.%d %s" % (tuple(sys.version_info[:3]) + (",".join(missing),)))
"""
_ANSWER = re.compile(r"runyard (\d+)\.(\d+)\.(\d+) ([a-z,]*)\s*\Z")
_VERSION = re.compile(r"Python (\d+)\.(\d+)(?:\.(\d+))?")
_NOT_FOUND = 127
"""The exit code of a command that is not there, as shells and timeout(1) have it."""

_ON_NODES = "Compute nodes may have it; jobs fail on those that have not."
_FIELD = "jobs_slurm_python_worker"

Run = Callable[[Sequence[str]], Awaitable[Reply]]
"""Runs a command; raises `TransportError` where it can't be started."""


async def python_findings(run: Run, python: str, where: str, *, nodes: bool) -> AsyncIterator[Finding]:
    """Whether *python* can run the worker: `python`.

    Args:
        run: on the machine that is looked at.
        python: its path.
        where: that machine, as a sentence names it.
        nodes: the worker runs on others than that one.
    """
    yield await _finding(run, python, where, nodes)


async def _finding(run: Run, python: str, where: str, nodes: bool) -> Finding:
    of = "resource" if nodes else ""
    field = _FIELD if nodes else ""

    def found(state: FindingState, detail: str, fix: str = "", evidence: str = "") -> Finding:
        bad = state is not FindingState.OK
        return Finding(
            "python",
            state,
            detail,
            fix,
            evidence,
            of="resource" if bad and of else "",
            field=field if bad else "",
        )

    name = shown(python)
    fix = f"Set {_FIELD} of the resource to a Python that the nodes have, from 3.6 on."
    try:
        reply = await run((python, "-I", "-c", _CODE))
        said = reply.out.decode("utf-8", "replace")
        evidence = f"{name} -I -c ...: {shown(said.strip() or reply.last_words)}"
        if match := _ANSWER.search(said):
            version, missing = tuple(map(int, match.groups()[:3])), match[4]
        else:
            # Python 2 knows no -I; what is no Python knows no --version, or says another name.
            reply_of_version = await run((python, "--version"))
            words = (reply_of_version.out + reply_of_version.err).decode("utf-8", "replace").strip()
            old = _VERSION.search(words)
            evidence += f"\n{name} --version: {shown(words[:200])}"
            if old is None or (int(old[1]), int(old[2])) >= OLDEST:
                return _no_python(found, reply, name, where, nodes, fix, evidence)
            version, missing = (int(old[1]), int(old[2]), int(old[3] or 0)), ""
    except TransportError as error:
        # For want of rights it may be that only we can't start it, and the user can.
        absent = str(error).endswith(ABSENT[0])
        detail = f"There is no {name} on {where}." if absent else told_by(error)[0]
        if not nodes:
            return found(FindingState.FAILURE, detail)
        return found(FindingState.WARNING, f"{detail} {_ON_NODES}", fix, sentence(str(error)))
    dotted = ".".join(map(str, version))
    if version[:2] < OLDEST:
        detail = f"{name} on {where} is Python {dotted}; the worker needs 3.6 or later."
        return found(FindingState.FAILURE, detail, fix, evidence)
    if missing:
        detail = f"{name} on {where}, Python {dotted}, lacks modules that the worker needs: {missing}."
        return found(FindingState.FAILURE, detail, fix, evidence)
    return found(FindingState.OK, f"{name} on {where} is Python {dotted}.", "", evidence)


def _no_python(
    found: Callable[..., Finding], reply: Reply, name: str, where: str, nodes: bool, fix: str, evidence: str
) -> Finding:
    said = shown(reply.last_words)
    if reply.code == _NOT_FOUND:
        detail = f"There is no {name} on {where}."
        if nodes:
            return found(FindingState.WARNING, f"{detail} {_ON_NODES}", fix, evidence)
        return found(FindingState.FAILURE, detail, "", evidence)
    return found(FindingState.FAILURE, f"{name} on {where} does not run as a Python: {said}", fix, evidence)
