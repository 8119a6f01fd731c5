"""Whether jobs may take as long as they ask for. Pure."""

from __future__ import annotations

import math

from runners.checking.slurm.access import charged
from runners.checking.slurm.accounts import account_commands
from runners.checking.slurm.facts import Facts
from runners.checking.slurm.job_limits import qos_in_order
from runners.checking.slurm.partitions import SHOW_PARTITIONS
from runners.checking.slurm.words import Put, evidence, names
from runners.config.errors import shown
from runners.config.units import format_duration
from runners.findings import Finding


def time_limit(put: Put, facts: Facts) -> Finding:
    """`time limit`: it is a time, and not over what the partition, the account and the QOS allow."""
    given = facts.partitions_of(put.asked.partitions)
    proof = evidence(SHOW_PARTITIONS, *(one.shown("DefaultTime", "MaxTime") for one in given))
    where = names(one.name for one in given)
    try:
        asked = put.asked.time_s
    except ValueError:
        text = shown(put.asked.options["time"])
        return put.failure(
            "time limit",
            f"{text} is no time that SLURM knows.",
            f"{put.to('time', 'minutes, h:mm:ss or d-hh:mm:ss, such as 2:00:00')}.",
            option="time",
        )
    limits = [one.most_s for one in given]
    known = [limit for limit in limits if limit is not None]
    if len(known) < len(limits):
        return put.untold("time limit", f"The limit of {where} can't be read.", proof)
    most, whose = max(known), where
    of_qos = qos_in_order(put, facts)
    freed = next((one for one in of_qos if "partitiontimelimit" in one.flags), None)
    if freed is not None:
        # Then the QOS goes before the partition.
        most, whose = math.inf, f"the QOS {shown(freed.name)}"
    if facts.accounts is not None and facts.settings.enforced & {"limits", "safe"}:
        ask, _, ask_qos, _ = account_commands(facts.user, "", facts.accounts.cluster)
        limiting = next((one for one in of_qos if one.most_s is not None), None)
        if limiting is not None:
            # What a QOS says goes before what the association says.
            if limiting.most_s is not None and limiting.most_s < most:
                most, whose = limiting.most_s, f"the QOS {shown(limiting.name)}"
                proof = evidence(ask_qos, limiting.row)
        else:
            account = charged(put, facts)
            for one in facts.accounts.of(account, put.asked.partitions)[:1]:
                if one.most_s is not None and one.most_s < most:
                    most, whose = one.most_s, f"the account {shown(account)}"
                    proof = evidence(ask, one.row)
    allowed = "without a limit" if math.isinf(most) else f"{format_duration(most)} at most"
    if asked is None:
        usual = next((one.usual_s for one in given if one.usual_s is not None), None)
        if usual is not None and math.isfinite(usual):
            detail = f"Jobs ask for none, and get what is usual in {where}: {format_duration(usual)}."
        else:
            detail = f"Jobs ask for none, and get what {whose} allows: {allowed}."
        return put.ok("time limit", detail, proof)
    wanted = "no limit at all" if math.isinf(asked) else format_duration(asked)
    # SLURM counts in minutes, and rounds up.
    if math.ceil(asked / 60) * 60 > most if math.isfinite(asked) else math.isfinite(most):
        return put.failure(
            "time limit",
            f"Jobs ask for {wanted}, and {whose} allows {allowed}.",
            f"{put.to('time', format_duration(most))} or less, or name a partition that allows more.",
            proof,
            option="time",
        )
    return put.ok("time limit", f"Jobs ask for {wanted}; {whose} allows {allowed}.", proof)
