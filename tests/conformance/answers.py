"""Answers to the requests of the conformance pack (shared/conformance/README.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from pydantic import ValidationError

from runners.config.errors import ConfigError, faulty_fields
from runners.config.local import LocalRunnerConfig
from runners.config.profile import parse_profile
from runners.config.resource import parse_resource
from runners.config.slurm import BatchingConfig, SlurmRunnerConfig
from runners.config.units import parse_memory
from runners.plan import Sizes, heuristics, job_sizes
from runners.slurm.preamble import preamble
from runners.slurm.settings import JobSettings, job_settings


def _parse_local(args: Mapping[str, Any]) -> object:
    return LocalRunnerConfig.model_validate(args["config"]).model_dump()


def _parse_slurm(args: Mapping[str, Any]) -> object:
    config = SlurmRunnerConfig.model_validate(args["config"])
    return {"dump": config.model_dump(), "set": config.model_dump(exclude_unset=True)}


def _mem(args: Mapping[str, Any]) -> object:
    return parse_memory(args["value"])


def _heuristics(args: Mapping[str, Any]) -> object:
    # The limits are taken as they are: the heuristics answer for contradictory ones too.
    limits = BatchingConfig.model_construct(**{name: args[name] for name in BatchingConfig.model_fields})
    task = {name: value for name, value in args.items() if name not in BatchingConfig.model_fields}
    sizes = heuristics(limits=limits, **task)
    return [sizes.tasks_per_job, sizes.parallel_tasks_per_job]


def _settings(args: Mapping[str, Any]) -> tuple[JobSettings, Sizes]:
    config = SlurmRunnerConfig.model_validate(args["config"])
    settings = job_settings(config, args["meta"], args["task_name"])
    return settings, job_sizes(args["tot_tasks"], settings)


def _slurm_config(args: Mapping[str, Any]) -> object:
    settings, sizes = _settings(args)
    merged = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return merged | {
        **merged.pop("batching").model_dump(),
        "mem_per_task_MB": merged.pop("mem_per_task"),
        "user_local_exports": merged.pop("exports"),
        "prefix": "#SBATCH",
        "tasks_per_job": sizes.tasks_per_job,
        "parallel_tasks_per_job": sizes.parallel_tasks_per_job,
    }


def _preamble(args: Mapping[str, Any]) -> object:
    settings, sizes = _settings(args)
    return preamble(
        settings,
        sizes.parallel_tasks_per_job,
        args["cache_dir"],
        account=args.get("account"),
        worker_init=args.get("worker_init"),
    )


def _resource(args: Mapping[str, Any]) -> object:
    return parse_resource(args["data"]).model_dump()


def _profile(args: Mapping[str, Any]) -> object:
    return parse_profile(args["data"]).model_dump()


OPERATIONS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "parse_local": _parse_local,
    "parse_slurm": _parse_slurm,
    "mem": _mem,
    "heuristics": _heuristics,
    "slurm_config": _slurm_config,
    "preamble": _preamble,
    "resource": _resource,
    "profile": _profile,
}


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request: a value, or the paths of the faulty fields."""
    try:
        return {"id": request["id"], "ok": OPERATIONS[request["op"]](request["args"])}
    except ValidationError as error:
        faulty = faulty_fields(error)
    except ConfigError as error:
        faulty = error.fields
    except ValueError:
        faulty = []
    return {"id": request["id"], "error_fields": sorted({path for path, _ in faulty if path})}


def answers(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Answers to requests, one JSON object a line; operations that we do not know are left out."""
    for line in lines:
        if line.strip():
            request = json.loads(line)
            if request["op"] in OPERATIONS:
                yield answer(request)
