"""The runners in use: one for each resource and profile, whatever the number of runs."""

import asyncio

from runners.base import BaseRunner
from runners.config.files import read_resource
from runners.config.home import Home
from runners.config.resource import LocalResource, Resource
from runners.engine.refusal import RefusalError
from runners.local import LocalRunner


class Pool:
    """Opens runners, and closes them all at the end."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._open: dict[tuple[str, str | None], tuple[str, BaseRunner]] = {}
        self._replaced: list[BaseRunner] = []

    async def runner(self, resource: str, profile: str | None, *, to_start: bool = False) -> BaseRunner:
        """The runner for *resource* as its file is now.

        Args:
            resource: its name.
            profile: the name of one of its profiles.
            to_start: something new is to be started on it.

        Raises:
            ConfigError: there is no such resource, or its file is broken.
            RefusalError: it is of a kind that can't be used, or takes nothing new.
        """
        stored = await asyncio.to_thread(read_resource, self._home.resources, resource)
        if to_start and stored.value.prevent_new_submissions:
            raise RefusalError(
                f"The resource {resource!r} takes no new work at the moment "
                f"(prevent_new_submissions in {str(stored.path)!r}); use another one, or change that."
            )
        key = (resource, profile)
        if key in self._open:
            fingerprint, runner = self._open[key]
            if fingerprint == stored.fingerprint:
                return runner
            self._replaced.append(runner)
        runner = _open(resource, stored.value)
        self._open[key] = (stored.fingerprint, runner)
        return runner

    async def close(self) -> None:
        """Close all runners; what they started goes on."""
        for runner in [*self._replaced, *(runner for _, runner in self._open.values())]:
            await runner.close()


def _open(name: str, resource: Resource) -> BaseRunner:
    if isinstance(resource, LocalResource):
        return LocalRunner(resource)
    raise RefusalError(
        f"The resource {name!r} is of type {resource.type}: this Runyard runs only local resources so far."
    )
