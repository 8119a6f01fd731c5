"""What is looked at of one set of the configuration, in which order, and what is left out. Pure.

One cause is told of once: by the finding that names it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from runners.checking.slurm.access import partition, partition_access, partition_state
from runners.checking.slurm.asked import Asked
from runners.checking.slurm.batching import batching
from runners.checking.slurm.charging import account, qos
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.fits import GPU_SET_FIELD, cpus, cpus_of, features, gres, memory, memory_of
from runners.checking.slurm.hostlists import brief
from runners.checking.slurm.job_limits import job_limits
from runners.checking.slurm.jobs_ahead import SHOW_JOBS, in_the_way
from runners.checking.slurm.nodes import nodes
from runners.checking.slurm.partitions import SHOW_NODES, NodeGroup
from runners.checking.slurm.reservations import SHOW_RESERVATIONS, other_reservations
from runners.checking.slurm.times import minutes_of, time_limit
from runners.checking.slurm.trial import NEVER, TRY, Trial, Trials, Word
from runners.checking.slurm.words import Put, asks_itself, evidence
from runners.config.errors import shown
from runners.explanation import Explanation
from runners.findings import Finding, FindingState

OF_SET = (
    "partition",
    "partition state",
    "partition access",
    "account",
    "qos",
    "time limit",
    "cpus",
    "memory",
    "gres",
    "features",
    "nodes",
    "job limits",
    "batching",
    "trial",
)
"""The words of the findings about a set, in their order. The GPU set has no `batching`: there a job has one
slot, however large it may be."""

OF_NODES = ("cpus", "memory", "gres", "features")
"""Those that have no sense where there are no nodes."""

_TRIED = (*OF_NODES, "account", "nodes")
"""Those that the scheduler's trial looks at as well."""

_OK, _FAILURE = FindingState.OK, FindingState.FAILURE


_AGAINST = re.compile(r"(--[a-z-]+) is mutually exclusive with (--[a-z-]+)")


@dataclass(slots=True)
class SetFindings:
    """What was found about a set."""

    findings: list[Finding] = field(default_factory=list)
    left: list[tuple[str, Finding | None]] = field(default_factory=list)
    """What was not looked at, and because of which finding; None: because of the accounting."""


def look_at(asked: Asked, facts: Facts, trials: Trials, before: Sequence[Finding] = ()) -> SetFindings:
    """All findings about a set.

    Args:
        asked: what a job of it asks for.
        facts: what the cluster tells.
        trials: the scheduler's own word.
        before: findings about another set, whose causes are not told of again.
    """
    put = Put(asked, trials.own, trials.largest)
    word = trials.own.word
    last = _trial(put, facts)
    if _goes_elsewhere(asked, facts):
        return _without(_of_others(put, last), before)
    first = partition(put, facts)
    if facts.partitions is None and word is Word.REFUSED:
        return _without(_refused_unseen(put, facts, last), before)
    if first.state is not _OK:
        found = SetFindings([first])
        found.left = [(asked.check(word), first) for word in _words(asked)[1:]]
        if first.state is not _FAILURE:
            found.findings.append(last)
            found.left.pop()
        return _without(found, before)
    if facts.partitions is not None and not facts.partitions_of(asked.partitions):
        # SLURM takes jobs there: a plugin of the site, or the federation, knows where they go.
        return _without(SetFindings([first, last]), before)
    return _without(_looked_at(put, facts, first, last), before)


def _words(asked: Asked) -> list[str]:
    return [word for word in OF_SET if word != "batching" or not asked.gpu]


def _goes_elsewhere(asked: Asked, facts: Facts) -> bool:
    """Whether jobs are sent to other clusters than the one that was asked."""
    given = asked.options.get("clusters", "").lower()
    return given not in ("", facts.settings.cluster.lower())


def _of_others(put: Put, last: Finding) -> SetFindings:
    """What is told of other clusters: the scheduler's word on the sample."""
    asked = put.asked
    if put.trial.word is Word.TAKEN:
        detail = "A line of extra_lines sends jobs to other clusters, of which this one tells nothing else."
        return SetFindings([put.untold("partition", detail, tried=True), last])
    if "no cluster" in put.trial.said.lower():
        known = put.failure(
            "partition",
            f"There is no cluster {shown(asked.options['clusters'])}: “{shown(put.trial.said)}”.",
            f"{put.without('clusters')}, or name one that there is: sacctmgr show clusters format=cluster",
            evidence(TRY, put.trial.said),
            option="clusters",
        )
        return SetFindings([known], [(asked.check(word), known) for word in _words(asked)[1:]])
    return SetFindings([last], [(asked.check(word), last) for word in _words(asked)[:-1]])


def _refused_unseen(put: Put, facts: Facts, last: Finding) -> SetFindings:
    """What is told of a refusal where partitions are not shown to us: they can't say more about it."""
    charging = [one for one in (account(put, facts), qos(put, facts)) if one is not None]
    cause = next((one for one in charging if one.state is _FAILURE), last)
    left = [word for word in _words(put.asked) if put.asked.check(word) != cause.check]
    return SetFindings([cause], [(put.asked.check(word), cause) for word in left])


def _looked_at(put: Put, facts: Facts, first: Finding, last: Finding) -> SetFindings:
    """What is told where the partitions are there; *first* says so, and *last* is the scheduler's word."""
    asked = put.asked
    looked: dict[str, Finding | None] = {
        "partition state": partition_state(put, facts),
        "partition access": partition_access(put, facts),
        "account": account(put, facts),
        "qos": qos(put, facts),
        "time limit": time_limit(put, facts),
        "cpus": cpus(put, facts),
        "memory": memory(put, facts),
        "gres": gres(put, facts),
        "features": features(put, facts),
        "nodes": nodes(put, facts),
        "job limits": job_limits(put, facts),
    }
    found = SetFindings([first])
    unseen: list[str] = []
    charged = next((one for one in (looked["account"], looked["qos"]) if _bad(one)), None)
    no_nodes = facts.groups_in(asked.partitions) == [] and _bad(looked["nodes"])
    for word, one in looked.items():
        if one is None:
            found.left.append((asked.check(word), None))
        elif one.state is _OK:
            found.findings.append(one)
        elif word in OF_NODES and no_nodes:
            found.left.append((asked.check(word), looked["nodes"]))
        elif word in ("partition access", "job limits") and charged:
            # It follows from the account.
            found.left.append((asked.check(word), charged))
        elif word == "job limits" and one.field and _same_field(one, looked["time limit"]):
            found.left.append((asked.check(word), looked["time limit"]))
        elif word == "time limit" and facts.partitions is None and not _is_ok(looked["partition access"]):
            found.left.append((asked.check(word), looked["partition access"]))
        elif one.state is FindingState.UNTOLD and word in _TRIED and put.trial.word is Word.REFUSED:
            unseen.append(word)
        else:
            found.findings.append(one)
    if not asked.gpu:
        small = next((one for one in (looked["cpus"], looked["memory"]) if _bad(one)), None)
        size = None if small else batching(put, facts)
        if size is not None:
            found.findings.append(size)
        elif why := small or _first_bad(found):
            found.left.append((asked.check("batching"), why))
        elif put.trial.word is Word.REFUSED:
            unseen.append("batching")
        else:
            # SLURM takes the sample's job, and nobody tells whether it takes larger ones.
            detail = "No nodes are shown to us, so it is not known whether the largest jobs fit on one."
            found.findings.append(put.untold("batching", detail, evidence(SHOW_NODES)))
    why = _reason_against_trial(found, put.trial)
    if why is not None:
        found.left.append((asked.check("trial"), why))
    else:
        found.findings.append(last)
    # What is refused brings no news of what is not shown to us.
    found.left += [(asked.check(word), why or last) for word in unseen]
    return found


def _reason_against_trial(found: SetFindings, trial: Trial) -> Finding | None:
    """What leaves the scheduler's word without news, if something does."""
    if trial.word is Word.TAKEN:
        return next((one for one in found.findings if one.state is _FAILURE), None)
    bad = [one for one in found.findings if _bad(one) and one.field != GPU_SET_FIELD]
    explaining = [one for one in bad if one.state is _FAILURE or not one.check.startswith("job limits")]
    return explaining[0] if explaining else None


def _trial(put: Put, facts: Facts) -> Finding:
    """`trial`: the scheduler would take a job of the sample."""
    trial = put.trial
    proof = evidence((*TRY, "<script of the sample>"), trial.said)
    where = ", ".join(map(shown, put.asked.partitions))
    if trial.word is Word.TAKEN and (waits := _waits(put, proof)):
        return waits
    match trial.word:
        case Word.TAKEN if trial.never:
            return _never(put, facts, where, proof)
        case Word.TAKEN if trial.start:
            return put.ok("trial", f"A job of the sample would start {trial.start}.", proof)
        case Word.TAKEN:
            return put.ok("trial", "SLURM would take a job of the sample.", proof)
        case Word.FULL:
            detail = (
                "SLURM takes no such job at the moment: the queue is full, or a limit of the account "
                f"or the QOS is reached: “{shown(trial.said)}”."
            )
            return put.untold("trial", detail, proof, "Check again when some of your jobs have ended.")
        case Word.NONE:
            said = shown(trial.said or "it says nothing")
            return put.untold("trial", f"SLURM does not tell whether it takes such jobs: {said}", proof)
    if "node configuration is not available" in trial.said.lower():
        groups = _fitting(put, facts)
        if moving := sum(one.count for one in groups if one.moving):
            return put.untold(
                "trial",
                f"{moving} {'node' if moving == 1 else 'nodes'} of {where} are being powered up or down, and "
                f"until they are SLURM does not tell whether they can have such jobs: “{shown(trial.said)}”.",
                proof,
                "Check again in some minutes.",
            )
        if resting := sum(one.count for one in groups if not one.working):
            return put.warning(
                "trial",
                "No node that takes jobs at the moment has all that a job of the sample asks for "
                f"in {where}, and {resting} {'takes' if resting == 1 else 'take'} none: "
                f"“{shown(trial.said)}”.",
                "Check again when they are back; the site's administrators know why: sinfo --list-reasons",
                proof,
            )
        if kept := other_reservations(put, facts, minutes_of(put, facts)):
            told = ", ".join(
                f"{shown(one.name)} ({brief(one.hostlist)}, for {shown(one.whose or 'nobody')}, "
                f"{shown(one.begins)} to {shown(one.ends)})"
                for one in kept[:4]
            )
            return put.warning(
                "trial",
                f"All nodes of {where} are reserved for others for some of the time that a job of the sample "
                f"may take: {told}.",
                "Set time so that jobs end before that, or name one of them that is yours in a line of "
                "extra_lines: #SBATCH --reservation=NAME",
                f"{proof}\n{evidence(SHOW_RESERVATIONS, *(one.row for one in kept))}",
            )
    detail = f"SLURM refuses a job of the sample in {where}: “{shown(trial.said)}”."
    explained = _explained(put)
    if explained is None:
        # Of the rules of a site, which may be the same for all partitions.
        detail = f"SLURM refuses a job of the sample: “{shown(trial.said)}”."
        fix = "Change what jobs ask for, or ask the site's administrators what this cluster wants."
        return put.failure("trial", detail, fix, proof)
    refused = put.failure("trial", f"{detail} {explained.sentence}", explained.remedy, proof)
    return replace(refused, of=explained.of, field=explained.field)


def _never(put: Put, facts: Facts, where: str, proof: str) -> Finding:
    """What to say where the time at which a job would start is far away."""
    taken = f"SLURM would take a job of the sample in {where}"
    told = facts.jobs is not None and not _goes_elsewhere(put.asked, facts)
    # Its reckoning and ours need not agree to the day.
    ahead = in_the_way(facts, put.asked.partitions, NEVER.total_seconds() / 2) if told else []
    if ahead:
        long = [one for one in ahead if one.endless]
        whose = "jobs without a time limit" if long else "jobs that may take long, or are many,"
        proof = f"{proof}\n{evidence(SHOW_JOBS, *(one.row for one in long or ahead))}"
        return put.ok("trial", f"{taken}; behind {whose} it can't foresee when that would start.", proof)
    detail = f"{taken}, but sees no time at which it could start."
    if not told or "jobs" in facts.settings.private:
        hidden = "Jobs that may be ahead of it are not shown to us."
        return put.untold("trial", f"{detail} {hidden}", proof, "See what is in the queue: squeue")
    fix = "Ask for less, or ask the site's administrators which limit is in its way."
    return put.warning("trial", detail, fix, proof)


def _fitting(put: Put, facts: Facts) -> list[NodeGroup]:
    """The nodes that might have such a job: of others it does not matter in which state they are."""
    has_cpus, has_mb = cpus_of(facts), memory_of(facts)
    least_cpus, least_mb = put.asked.cpus or 0, put.asked.node_mb or 0.0
    groups = facts.groups_in(put.asked.partitions) or []
    return [one for one in groups if has_cpus(one) >= least_cpus and has_mb(one) >= least_mb]


def _waits(put: Put, proof: str) -> Finding | None:
    """What is wrong where a line of people's own has jobs wait that could start."""
    options = put.asked.options
    if "hold" in options:
        detail = "A line of extra_lines holds jobs back: they wait until somebody releases each of them."
        return put.warning("trial", detail, f"{put.without('hold')}.", proof, option="hold")
    if put.trial.never and options.get("begin"):
        detail = (
            f"A line of extra_lines has jobs begin only at {shown(options['begin'])}: they wait until then."
        )
        return put.warning("trial", detail, f"{put.without('begin')}.", proof, option="begin")
    return None


def _explained(put: Put) -> Explanation | None:
    """What a refusal means; it blames the set that gives what is at fault, which may be the default's."""
    own = put.asked.set_path
    explained = put.trial.explained(own)
    if explained is not None and (said := _AGAINST.search(put.trial.said)):
        for line in put.asked.merged.extra_lines:
            if said[1] in line:
                sentence = f"It does not go together with {said[2]}, which jobs ask for already."
                remedy = f"Leave out {said[1]} in the line “{shown(line)}” of extra_lines."
                field = put.asked.field(said[1])
                return replace(explained, sentence=sentence, remedy=remedy, of="resource", field=field)
    if explained is None or not explained.field.startswith(f"{own}."):
        return explained
    asked = put.asked
    option = explained.field.rpartition(".")[2].replace("_", "-")
    if option == "time" and "time" not in asked.options and "deadline" in asked.own:
        option = "deadline"
    if option == "gres" and "gres" not in asked.options:
        option = "gpus"
    field = asked.field(option)
    if not field:
        remedy = asks_itself(option.replace("-", "_"), "less")
        return replace(explained, remedy=remedy, of="", field="")
    if option == "deadline":
        explained = replace(explained, sentence="Before the deadline there is no time for such jobs.")
    if option in asked.own:
        return replace(explained, remedy=f"Correct {asked.named(option)}.", field=field)
    again = put.trial.explained(field.rpartition(".")[0])
    return replace(again, field=field) if again and option == "gpus" else again


def known_before(finding: Finding, before: Sequence[Finding]) -> Finding | None:
    """The finding that tells of the same cause already."""
    word = finding.check.partition(",")[0]
    for one in before:
        same = one.detail == finding.detail or (one.field != "" and one.field == finding.field)
        if finding.state is not _OK and one.state is finding.state and one.check == word and same:
            return one
    return None


def _without(found: SetFindings, before: Sequence[Finding]) -> SetFindings:
    """Without what was told of in *before*, which then is the reason of what was left out."""
    left = [(word, because and (known_before(because, before) or because)) for word, because in found.left]
    return SetFindings([one for one in found.findings if known_before(one, before) is None], left)


def _same_field(one: Finding, other: Finding | None) -> bool:
    return _bad(other) and other is not None and one.field == other.field


def _is_ok(finding: Finding | None) -> bool:
    return finding is None or finding.state is _OK


def _bad(finding: Finding | None) -> bool:
    return finding is not None and finding.state in (_FAILURE, FindingState.WARNING)


def _first_bad(found: SetFindings) -> Finding | None:
    return next((one for one in found.findings if one.state is not _OK), None)
