"""How tasks become SLURM jobs: what each job asks for, and how many tasks share one."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from runners.config.errors import fault
from runners.config.types import Count, Integer, Line, Memory, RawLine, Text, TimeLimit, has_control

_ACCOUNT_OPTION = re.compile(r"--acco(u(n(t)?)?)?(=.*)?|-[hHIkKOQsuvVW]*A.*", re.DOTALL)
_EXPORT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def sets_account(line: str) -> bool:
    """Whether a script line is an `#SBATCH` directive that sets the account (divergence D6).

    sbatch takes `--account`, any abbreviation that is no other option's (`--acco`), and `-A`, also behind
    short options that take no argument (`-HA x`); it reads quotes as a shell does.
    """
    return any(_ACCOUNT_OPTION.fullmatch(word) for word in directive_words(line))


def directive_words(line: str) -> list[str]:
    """The words of an `#SBATCH` directive, as they stand and without quotes; none of any other line."""
    if not line.startswith("#SBATCH"):
        return []
    options = line.removeprefix("#SBATCH")
    words = options.split()
    try:
        return words + shlex.split(options)
    except ValueError:
        # sbatch refuses unbalanced quotes; the plain words are still looked at.
        return words + options.replace('"', "").replace("'", "").split()


def _no_account(line: str) -> str:
    if sets_account(line):
        raise ValueError("must not set the account; use the field account")
    return line


def _distinct_names(exports: Any) -> Any:
    if isinstance(exports, dict):
        names = [name.strip() for name in exports if isinstance(name, str)]
        if len(set(names)) < len(names):
            raise ValueError("must not name a variable twice")
    return exports


def _export_name(name: str) -> str:
    if not _EXPORT_NAME.fullmatch(name):
        raise ValueError("is not a variable's name: letters, digits and _, not a digit first")
    return name


def _inside_cache(value: str) -> str:
    if has_control(value):
        raise ValueError("must not hold a line break or another control character")
    if value.startswith("/") or ".." in value.split("/"):
        raise ValueError('must be a relative path without ".."')
    return value


ScriptLine = Annotated[Line, AfterValidator(_no_account)]
"""One line that is added to a submission script."""

RawScriptLine = Annotated[RawLine, AfterValidator(_no_account)]
"""Like `ScriptLine`, but kept exactly as given."""


class SlurmTaskConfig(BaseModel):
    """What each task asks of SLURM, unless a step says otherwise (default and GPU set)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partition: Annotated[
        Line | None,
        Field(description="The partition to submit to, or several with commas. A run needs one; no default."),
    ] = None
    cpus_per_task: Annotated[
        Count | None,
        Field(description="CPUs for each task, 1 or more. A run needs it; no default."),
    ] = None
    mem: Annotated[
        Memory | None,
        Field(
            description="Memory for each task, in MB or with a unit: 500M, 16G, 1T (1G is 1000 MB). "
            "A run needs it; no default."
        ),
    ] = None
    constraint: Annotated[
        Line | None,
        Field(description="Node features to ask for, such as gpuram32gb or a100|v100. Empty: any node."),
    ] = None
    gres: Annotated[
        Line | None,
        Field(description="Generic resources for each job, such as gpu:a100:1. Empty: none."),
    ] = None
    exclude: Annotated[
        Line | None,
        Field(description="Nodes that must not be used, such as node[1-3],node7. Empty: none."),
    ] = None
    nodelist: Annotated[
        Line | None,
        Field(description="Nodes that must be part of every job, such as node4. Empty: SLURM chooses."),
    ] = None
    nodes: Annotated[
        Integer | None,
        Field(description="How many nodes each job may spread over. Empty: SLURM chooses."),
    ] = None
    time: Annotated[
        TimeLimit | None,
        Field(
            description="Time limit of each job, as minutes, hh:mm:ss or days-hh:mm:ss. "
            "Empty: the partition's own limit."
        ),
    ] = None
    account: Annotated[
        Line | None,
        Field(description="The account that jobs are charged to. Empty: your default account."),
    ] = None
    extra_lines: Annotated[
        list[ScriptLine],
        Field(
            description="Lines added to the submission script: #SBATCH options first, then shell commands "
            "such as module load. They must not set the account. Default: none."
        ),
    ] = []
    gpus: Annotated[
        Line | None,
        Field(description="GPUs for each job, as a count or with a type, such as 1 or v100:2. Empty: none."),
    ] = None
    shebang_line: Annotated[
        RawLine,
        Field(description="First line of the submission script. Default: #!/bin/sh."),
    ] = "#!/bin/sh"
    use_mem_per_cpu: Annotated[
        bool,
        Field(
            description="Ask for memory per CPU (--mem-per-cpu) instead of per job (--mem), "
            "for sites that refuse --mem. Default: no."
        ),
    ] = False


class BatchingConfig(BaseModel):
    """How many tasks share a job: targets that are kept if possible, maxima that are never passed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target_num_jobs: Annotated[
        Count,
        Field(description="How many jobs a step should become at most, if that is possible. Required."),
    ]
    max_num_jobs: Annotated[
        Count,
        Field(description="How many jobs a step may become at most. Required; not below the target."),
    ]
    target_cpus_per_job: Annotated[
        Count,
        Field(description="How many CPUs one job should ask for at most, if that is possible. Required."),
    ]
    max_cpus_per_job: Annotated[
        Count,
        Field(description="How many CPUs one job may ask for at most. Required; not below the target."),
    ]
    target_mem_per_job: Annotated[
        Memory,
        Field(description="Memory one job should ask for at most, in MB or as 16G, if possible. Required."),
    ]
    max_mem_per_job: Annotated[
        Memory,
        Field(
            description="Memory one job may ask for at most, in MB or as 64G. Required; not below the target."
        ),
    ]

    @model_validator(mode="after")
    def _targets_below_maxima(self) -> Self:
        pairs = (
            ("target_num_jobs", self.target_num_jobs, self.max_num_jobs),
            ("target_cpus_per_job", self.target_cpus_per_job, self.max_cpus_per_job),
            ("target_mem_per_job", self.target_mem_per_job, self.max_mem_per_job),
        )
        faults = [
            (name, f"must not be above {name.replace('target', 'max')}, which is {maximum}")
            for name, target, maximum in pairs
            if target > maximum
        ]
        if faults:
            raise fault(faults)
        return self


class SlurmRunnerConfig(BaseModel):
    """The runner configuration of a `slurm_sudo` or `slurm_ssh` resource."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default_slurm_config: Annotated[
        SlurmTaskConfig,
        Field(description="What each task asks of SLURM, unless its step says otherwise. Required."),
    ]
    gpu_slurm_config: Annotated[
        SlurmTaskConfig | None,
        Field(
            description="What changes for steps that need a GPU: what is given here replaces the default's. "
            "Empty (the default): nothing changes."
        ),
    ] = None
    batching_config: Annotated[
        BatchingConfig,
        Field(description="How many tasks share a job, and how many jobs there may be. Required."),
    ]
    user_local_exports: Annotated[
        dict[Annotated[Text, AfterValidator(_export_name)], Annotated[Text, AfterValidator(_inside_cache)]],
        BeforeValidator(_distinct_names),
        Field(
            description="Environment variables for every task, each with a path relative to the user's cache "
            "folder, such as CELLPOSE_LOCAL_MODELS_PATH with cellpose. Default: none."
        ),
    ] = {}
