"""What a set of the configuration makes a job ask for, as sbatch reads it from the script. Pure.

The script decides and not the configuration: it has how many slots the plan gave a job, and the lines of
people's own, which go before the options of the configuration.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runners.config.errors import shown
from runners.config.slurm import SlurmRunnerConfig, SlurmTaskConfig
from runners.config.units import parse_duration
from runners.sample import Sample
from runners.slurm.notation import parse_count
from runners.slurm.script import script_head

GPU_SET = "GPU set"
"""What stands behind the words of findings that are of the GPU set."""

_LONG = (
    "account begin chdir clusters constraint cpus-per-task deadline exclude gpus gpus-per-node "
    "gpus-per-socket gpus-per-task gres hold job-name licenses mem mem-per-cpu nodelist nodes ntasks "
    "ntasks-per-node open-mode output partition qos reservation signal time time-min tres-per-task"
).split()
_SHORT = {
    "A": "account",
    "C": "constraint",
    "L": "licenses",
    "M": "clusters",
    "N": "nodes",
    "b": "begin",
    "c": "cpus-per-task",
    "G": "gpus",
    "n": "ntasks",
    "p": "partition",
    "q": "qos",
    "t": "time",
    "w": "nodelist",
    "x": "exclude",
}
_FIELDS = {"cpus-per-task": "cpus_per_task", "mem-per-cpu": "mem"}
"""Of options that are not called like the field of the configuration."""
_OF_SETTINGS = frozenset(
    "partition cpus-per-task mem mem-per-cpu constraint gres gpus time account exclude nodelist nodes".split()
)

_MEMORY = re.compile(r"([0-9]{1,15})([KMGT]?)B?", re.IGNORECASE)
_MB_IN = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
_NO_LIMIT = ("unlimited", "infinite", "-1", "0")


_SAMPLE = Sample()


@dataclass(frozen=True, slots=True)
class Asked:
    """A job of one set."""

    gpu: bool
    config: SlurmRunnerConfig
    merged: SlurmTaskConfig
    """The set, laid over the default."""
    options: Mapping[str, str]
    """By their long names, as they count."""
    own: Mapping[str, str]
    """The lines of people's own, by the options that they give."""
    script: bytes
    sample: Sample = _SAMPLE
    """The work of which the job is a part."""

    @property
    def partitions(self) -> tuple[str, ...]:
        """Any of them will do."""
        return tuple(filter(None, self.options.get("partition", "").split(",")))

    @property
    def slots(self) -> int:
        """How many tasks run at a time, 1 or more."""
        return max(1, parse_count(self.options.get("ntasks", "")) or 1)

    @property
    def most_slots(self) -> int:
        """How many tasks at a time the largest jobs of such tasks have."""
        config = self.config.batching_config
        slots = config.max_cpus_per_job // (self.cpus or 1)
        if self.task_mb:
            slots = min(slots, int(config.max_mem_per_job // self.task_mb))
        return max(self.slots, slots)

    @property
    def head(self) -> bytes:
        """What of the script says what its job asks for."""
        return "".join(f"{line}\n" for line in script_head(self.script)).encode()

    @property
    def largest(self) -> Mapping[str, tuple[str, ...]]:
        """Options that make the job as large as the configuration lets jobs become, in one respect each.

        A node of its own must have that, and no more of anything else. Of the GPU set there are none.
        """
        config, found = self.config.batching_config, dict[str, tuple[str, ...]]()
        if self.gpu:
            return found
        if self.grows:
            found["memory"] = ("--ntasks=1", f"--mem={config.max_mem_per_job}M")
        slots = config.max_cpus_per_job // (self.cpus or config.max_cpus_per_job + 1)
        if slots and self.own.keys().isdisjoint({"ntasks", "ntasks-per-node"}):
            nodes = () if "nodelist" in self.options and not self.nodes else (f"--nodes={self.nodes or 1}",)
            memory = "mem-per-cpu" if "mem-per-cpu" in self.options else "mem"
            found["cpus"] = (f"--ntasks={slots}", *nodes, f"--{memory}=1M")
        return found

    @property
    def cpus(self) -> int | None:
        """CPUs of each slot, which are on one node."""
        return parse_count(self.options.get("cpus-per-task", "1"))

    @property
    def task_mb(self) -> float | None:
        """Memory that a node must have for a single slot of the job; None where it can't be told."""
        if "mem" in self.own:
            return read_memory(self.options["mem"])
        if "mem-per-cpu" in self.own:
            each = read_memory(self.options["mem-per-cpu"])
            return None if each is None or self.cpus is None else each * self.cpus
        whole = read_memory(self.options.get("mem", ""))
        if whole is not None:
            return whole / self.slots
        each = read_memory(self.options.get("mem-per-cpu", ""))
        return None if each is None or self.cpus is None else each * self.cpus

    @property
    def node_mb(self) -> float | None:
        """Memory that each node of the job must have; None where it can't be told."""
        whole = read_memory(self.options.get("mem", ""))
        return self.task_mb if whole is None or "mem-per-cpu" in self.own else whole

    @property
    def grows(self) -> bool:
        """Whether the memory that each node must have grows with the slots of a job."""
        return not self.merged.use_mem_per_cpu and self.own.keys().isdisjoint({"mem", "mem-per-cpu"})

    @property
    def nodes(self) -> int | None:
        """How many nodes it wants at least; None where it does not say, or says what can't be read."""
        least = self.options.get("nodes", "").split("-")[0]
        return parse_count(least)

    @property
    def time_s(self) -> float | None:
        """Seconds of its time limit, infinity for none at all; None where it names no limit.

        Raises:
            ValueError: it names what is no time.
        """
        text = self.options.get("time")
        if text is None:
            return None
        return math.inf if text.strip().lower() in _NO_LIMIT else float(parse_duration(text))

    @property
    def set_path(self) -> str:
        """The path of the set in the resource's document."""
        return f"jobs_runner_config.{'gpu' if self.gpu else 'default'}_slurm_config"

    def check(self, name: str) -> str:
        """The words of a finding about this set."""
        return f"{name}, {GPU_SET}" if self.gpu else name

    def field(self, option: str) -> str:
        """The dotted path of the field that says *option*; empty where the sample does."""
        name = _FIELDS.get(option, option)
        if option in self.own or option not in _OF_SETTINGS:
            name = "extra_lines"
        given = self.config.gpu_slurm_config if self.gpu else None
        of_gpu = given is not None and name in _given(given)
        if by_sample(name, self.sample, self.merged):
            return ""
        return f"jobs_runner_config.{'gpu' if of_gpu else 'default'}_slurm_config.{name}"

    def named(self, option: str) -> str:
        """What says *option*, as a remedy calls it: the field, or the line of people's own."""
        if line := self.own.get(option):
            return f"--{option} in the line “{shown(line)}” of extra_lines"
        return _FIELDS.get(option, option)

    @property
    def lacks_gpu(self) -> bool:
        """Whether the sample needs a GPU, and would get none."""
        of_gpus = self.gpu or self.config.gpu_slurm_config is None
        asking = any(
            name == "gres" or name.startswith("gpus") or (name.startswith("tres") and "gpu" in value)
            for name, value in self.options.items()
            if value
        )
        return self.sample.needs_gpu and of_gpus and not asking


def by_sample(name: str, sample: Sample, merged: SlurmTaskConfig) -> bool:
    """Whether it is *sample* that says the field *name*, and not the set."""
    given = {"cpus_per_task": sample.cpus, "mem": sample.mem_mb}.get(name)
    return given is not None and given != getattr(merged, name)


def merged_set(config: SlurmRunnerConfig, *, gpu: bool) -> SlurmTaskConfig:
    """A set as it counts: what the GPU set gives goes before what the default gives."""
    over = _given(config.gpu_slurm_config) if gpu and config.gpu_slurm_config else {}
    return config.default_slurm_config.model_copy(update=over)


def read_asked(config: SlurmRunnerConfig, script: bytes, *, gpu: bool, sample: Sample = _SAMPLE) -> Asked:
    """What the job of *script* asks for, which was made of a set of *config*, for *sample*."""
    merged = merged_set(config, gpu=gpu)
    options: dict[str, str] = {}
    own: dict[str, str] = {}
    mine = set(merged.extra_lines)
    for line in script_head(script):
        if not line.startswith("#SBATCH"):
            continue
        for name, value in _options(line.removeprefix("#SBATCH")):
            options[name] = value
            if line in mine:
                own[name] = line
    return Asked(gpu, config, merged, options, own, script, sample)


def read_memory(text: str) -> float | None:
    """MB from memory as sbatch takes it, whose units are steps of 1024; None for anything else."""
    match = _MEMORY.fullmatch(text.strip())
    return float(match[1]) * _MB_IN[match[2].upper()] if match else None


def _given(config: SlurmTaskConfig) -> dict[str, object]:
    """What a set gives. Of all nulls that of the memory alone gives nothing (see `job_settings`)."""
    given = {name: getattr(config, name) for name in config.model_fields_set}
    return {name: value for name, value in given.items() if name != "mem" or value is not None}


def _options(text: str) -> Iterator[tuple[str, str]]:
    """Options with a value, by their long names. What is not known is passed over."""
    try:
        words = iter(shlex.split(text, comments=True))
    except ValueError:
        # sbatch refuses it.
        return
    for word in words:
        if word.startswith("--"):
            given, equals, value = word[2:].partition("=")
            name = _long(given)
            if name == "hold":
                equals = "="
        elif len(word) > 1 and word[0] == "-" and word[1] in _SHORT:
            name, value = _SHORT[word[1]], word[2:].removeprefix("=")
            equals = value
        elif word == "-H":
            name, value, equals = "hold", "", "="
        else:
            continue
        if name is not None:
            yield name, value if equals else next(words, "")


def _long(given: str) -> str | None:
    if given in _LONG:
        return given
    fitting = [name for name in _LONG if given and name.startswith(given)]
    return fitting[0] if len(fitting) == 1 else None
