"""What README.md and the help say of workflows is so."""

from __future__ import annotations

import re
from pathlib import Path

from runners.workflow import Step, StepMeta, Workflow, placeholders
from tui.verbs.launch_options import PLACEHOLDERS

README = (Path(__file__).parents[2] / "README.md").read_text()


def examples() -> list[Workflow]:
    (readme,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (in_help,) = re.findall(r"^  (\{\"name\".*\]\})$", PLACEHOLDERS, re.DOTALL | re.MULTILINE)
    return [Workflow.model_validate_json(text) for text in (readme, in_help)]


def test_the_workflows_shown_can_be_run() -> None:
    for workflow in examples():
        first, second = workflow.steps
        assert placeholders(first)
        assert (first.type.value, second.type.value) == ("parallel", "non_parallel")
        assert first.meta.mem
        assert first.shell or second.shell
    assert placeholders(examples()[0].steps[0]) == {"item", "stem", "out_json"}


def test_every_key_of_a_workflow_is_told() -> None:
    keys = {*Workflow.model_fields, *Step.model_fields, *StepMeta.model_fields}
    rows = "\n".join(line for line in README.splitlines() if line.startswith("|"))
    assert {key for key in keys.difference({"steps"}) if f"`{key}`" not in rows} == set()
    assert '"steps"' in README
