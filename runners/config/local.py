"""How tasks run on this machine."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from runners.config.types import Count


class LocalRunnerConfig(BaseModel):
    """The runner configuration of a `local` resource."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parallel_tasks_per_job: Annotated[
        Count | None,
        Field(
            description="How many tasks run at the same time on this machine, 1 or more. "
            "Empty (the default) means no limit: as many as there are tasks."
        ),
    ] = None
