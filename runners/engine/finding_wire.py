"""Findings as they go over the engine's socket: a JSON array of objects, behind the answer's line."""

import json
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any

from runners.engine.wire import LARGEST
from runners.findings import Finding, FindingState

_LONGEST = 32 << 10
"""Characters of one text that are handed on."""

_ROOM = LARGEST - 2
_NAMES = frozenset(field.name for field in fields(Finding))


def packed(findings: Iterable[Finding]) -> bytes:
    """As many of *findings* as one answer can carry, from the first on: at least one, where there is one."""
    parts: list[str] = []
    room = _ROOM
    for finding in findings:
        part = json.dumps(asdict(_short(finding)))
        room -= len(part) + 1
        if parts and room < 0:
            break
        parts.append(part)
    return f"[{','.join(parts)}]".encode()


def unpacked(data: bytes) -> list[Finding]:
    """The findings in *data*.

    Raises:
        ValueError: it holds something else.
    """
    documents = json.loads(data)
    if not isinstance(documents, list):
        raise ValueError("findings are no list")
    return [_finding(document) for document in documents]


def _finding(document: Any) -> Finding:
    if not isinstance(document, dict) or document.keys() != _NAMES:
        raise ValueError("a finding has other fields")
    if not all(isinstance(value, str) for value in document.values()):
        raise ValueError("a finding holds what is no text")
    if document["of"] not in ("resource", "profile", ""):
        raise ValueError("a finding is of something else")
    return Finding(**{**document, "state": FindingState(document["state"])})


def _short(finding: Finding) -> Finding:
    """It with no text that is longer than anybody reads."""
    return replace(
        finding, detail=_cut(finding.detail), fix=_cut(finding.fix), evidence=_cut(finding.evidence)
    )


def _cut(text: str) -> str:
    return (
        text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…\n({len(text) - _LONGEST:,} more characters)"
    )
