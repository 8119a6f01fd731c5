"""What may not be removed or renamed: the resource `local`, and what live runs know by its name."""

from __future__ import annotations

from contextlib import closing

from runners.config.errors import ConfigError, shown
from runners.config.home import Home
from runners.config.places import LOCAL, resource_path
from runners.store.reader import Reader


def live_runs_of(home: Home, resource: str, profile: str | None = None) -> list[str]:
    """The ids of the runs that go on there, oldest first: on the resource, or with that profile. Blocks.

    Raises:
        StoreError: the store can't be read.
    """
    if not home.database.exists():
        return []
    with closing(Reader.open(home.database)) as store:
        return [
            run.id
            for run in store.live_runs()
            if run.resource == resource and (profile is None or run.profile == profile)
        ]


def refuse_in_use(home: Home, resource: str, profile: str | None = None, *, done: str) -> None:
    """Refuse what would take the name away under which others know a resource or profile. Blocks.

    *done* is the word for it: `removed`, `renamed`.

    Raises:
        ConfigError: it is the resource `local`, or a live run is on it.
        StoreError: the store can't be read.
    """
    if profile is not None:
        what = f"The profile {shown(profile)} of the resource {shown(resource)}"
    elif resource == LOCAL:
        path = resource_path(home.resources, resource)
        raise ConfigError(
            f"The resource {LOCAL} can't be {done}, since every start makes it again; edit its file "
            f"{shown(path)}."
        )
    else:
        what = f"The resource {shown(resource)}"
    live = live_runs_of(home, resource, profile)
    if not live:
        return
    others = f" and {len(live) - 1} more" if len(live) > 1 else ""
    raise ConfigError(
        f"{what} can't be {done} while run {live[0]}{others} is on it; wait for the end or cancel first."
    )
