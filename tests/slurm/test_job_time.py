"""The longest time that a real SLURM gives a job."""

from __future__ import annotations

import re

from runners.config.units import format_duration
from runners.slurm.job_time import LONGEST_S
from runners.slurm.notation import parse_clock
from tests.lab.lab import Lab


def limit_of_job(lab: Lab, seconds: int) -> float | None:
    """What SLURM makes of a limit that a job asks for."""
    asked = f"--time={format_duration(seconds)}"
    job = lab.run("sbatch", "--parsable", "--hold", asked, "--wrap=true", user=lab.spec.user).stdout.strip()
    told = re.search(r"TimeLimit=(\S+)", lab.scontrol("show", "job", job))
    assert told is not None
    return parse_clock(told[1])


def test_the_longest_is_given_and_more_becomes_something_else(lab: Lab) -> None:
    # Whole minutes, rounded up.
    assert limit_of_job(lab, LONGEST_S) == -(-LONGEST_S // 60) * 60
    assert limit_of_job(lab, LONGEST_S + 60) != -(-(LONGEST_S + 60) // 60) * 60
