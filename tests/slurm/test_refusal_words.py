"""Why a real sbatch refuses: each of its answers is explained by the field at fault."""

from __future__ import annotations

import pytest

from runners.explanation import SLURM_SET
from runners.slurm.refusals import explain_refusal
from tests.lab.lab import Lab

# Of what no node has, SLURM does not say what it is.
WRONG = [
    ("--partition=nonesuch", f"{SLURM_SET}.partition"),
    ("--mem=900G", ""),
    ("--cpus-per-task=900", ""),
    ("--gres=gpuu:1", f"{SLURM_SET}.gres"),
    ("--constraint=nonesuch", f"{SLURM_SET}.constraint"),
    ("--nodelist=nonesuch", f"{SLURM_SET}.nodelist"),
    ("--nodes=50", ""),
    ("--time=tomorrow", f"{SLURM_SET}.time"),
    ("--reservation=nonesuch", f"{SLURM_SET}.extra_lines"),
    ("--nonesuch", f"{SLURM_SET}.extra_lines"),
    ("--licenses=nonesuch", f"{SLURM_SET}.extra_lines"),
]


@pytest.mark.parametrize(("option", "field"), WRONG)
def test_the_field_at_fault(lab: Lab, option: str, field: str) -> None:
    reply = lab.run("sbatch", "--test-only", option, "--wrap=true")
    assert reply.returncode
    explained = explain_refusal(reply.stderr)
    assert explained is not None
    assert explained.field == field
    assert field or explained.cause == "node configuration"


def test_what_is_taken_is_not_explained(lab: Lab) -> None:
    reply = lab.run("sbatch", "--test-only", "--wrap=true")
    assert reply.returncode == 0
    assert "to start at" in reply.stderr
    assert explain_refusal(reply.stderr) is None
