"""Why nodes take no jobs, in the words of whoever took them out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from runners.checking.slurm.hostlists import brief, hosts_of
from runners.config.errors import shown

_LONGEST = 60
"""Letters of a reason in a sentence."""
_NAMED = 4
"""Of several lists of nodes, or states of some."""
_NONE = ("", "none", "(null)", "n/a")


def reasons_command(mark: str) -> tuple[str, ...]:
    """What answers with what `read_reasons` reads."""
    return ("sinfo", "--all", "--local", "--noheader", "--list-reasons", f"--format=@{mark}|%N|%E@{mark}.")


def read_reasons(text: str, mark: str) -> dict[str, str]:
    """The reasons by the node. They may be any text."""
    found: dict[str, str] = {}
    for piece in text.split(f"@{mark}|")[1:]:
        hosts, _, reason = piece.partition(f"@{mark}.")[0].partition("|")
        words = " ".join(reason.split())
        if words.lower() not in _NONE:
            found |= dict.fromkeys(hosts_of(hosts), words)
    return found


def nodes_and_reasons(nodes: Iterable[tuple[str, str]], reasons: Mapping[str, str]) -> str:
    """Lists of nodes, each with its state and why: `c1 (drained: “disk swap”)`."""
    told = []
    for hosts, state in dict.fromkeys(nodes):
        own = [
            _quoted(one) for one in dict.fromkeys(reasons.get(host, "") for host in hosts_of(hosts)) if one
        ]
        why = f": {_some(own, 2)}" if own else ""
        told.append(f"{brief(hosts)} ({shown(state)}{why})")
    return _some(told, _NAMED)


def counts_and_reasons(nodes: Iterable[tuple[str, str]], reasons: Mapping[str, str]) -> str:
    """How many nodes are in which state, and why: `2 drained (“disk swap”), 1 down`."""
    states = {host: state for hosts, state in nodes for host in hosts_of(hosts)}
    counts = Counter((state, reasons.get(host, "")) for host, state in states.items())
    told = [
        f"{count} {shown(state)}{f' ({_quoted(why)})' if why else ''}"
        for (state, why), count in counts.items()
    ]
    return _some(told, _NAMED)


def _quoted(reason: str) -> str:
    return f"“{shown(reason if len(reason) <= _LONGEST else f'{reason[: _LONGEST - 1]}…')}”"


def _some(texts: Sequence[str], most: int) -> str:
    more = len(texts) - most
    return f"{', '.join(texts[:most])}{f' and {more} more' if more > 0 else ''}"
