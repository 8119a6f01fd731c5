"""What may not be removed or renamed: the resource `local`, and what live runs know by its name.

A run is on a resource from the moment in which it is asked for: the request becomes the run in one
transaction of the store. So whoever holds the store meanwhile can look and act in one step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from runners.config.errors import ConfigError, shown
from runners.config.home import Home
from runners.config.places import LOCAL, resource_path
from runners.config.writing import told, writing
from runners.requests import RequestKind
from runners.store.database import StoreError
from runners.store.reader import Reader, UnknownRunError
from runners.store.writer import Writer


@contextmanager
def out_of_use(home: Home, resource: str, profile: str | None = None, *, done: str) -> Iterator[None]:
    """Until its end, no run is on that resource (with that profile), and none can be asked for. Blocks.

    For a moment only: the engine waits meanwhile with all that it has to write. So the folder of resources,
    which others may hold for longer, is held from before the store is until after it is let go. A run that is
    asked for afterwards finds the resource as it is then, or is refused.

    Args:
        home: whose runs.
        resource: what is to lose the name under which others know it; its profile, if one is named.
        profile: the profile's name.
        done: what is done in the block, in a word: `removed`, `renamed`.

    Raises:
        ConfigError: it is the resource `local`, or a live run is on it, or one that was asked for; or the
            folder can't be written, or others hold it for too long.
        StoreError: the store can't be used, or others hold it for too long.
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
    try:
        with (
            told(f"{what} can't be {done}: {shown(home.resources)} can't be written"),
            writing(home.resources),
            closing(Writer.open(home.database)) as store,
            store.held(),
        ):
            if live := runs_on(store, resource, profile):
                runs = f"{live[0]} is" if len(live) == 1 else f"{live[0]} and {len(live) - 1} more are"
                raise ConfigError(
                    f"{what} can't be {done} while run {runs} on it; wait for the end or cancel first."
                )
            yield
    except sqlite3.Error as error:
        raise StoreError(f"The store {str(home.database)!r} can't be used: {error}.") from error


def runs_on(store: Reader, resource: str, profile: str | None) -> list[str]:
    """The runs that go on or were asked for on that resource, with that profile if one is named."""
    wanted = [resource] if profile is None else [resource, profile]
    return [run for run, *on in _live(store) if on[: len(wanted)] == wanted]


def _live(store: Reader) -> Iterator[tuple[str, str, object]]:
    """The runs that go on, oldest first, and those that were asked for, each with resource and profile."""
    for run in store.live_runs():
        yield run.id, run.resource, run.profile
    for request in store.waiting_requests():
        match request.kind, request.payload:
            case RequestKind.LAUNCH, {"run": str(name), "spec": {"resource": str(resource), **spec}}:
                yield name, resource, spec.get("profile")
            case RequestKind.RETRY, {"run": str(name), "of": str(of)}:
                with suppress(UnknownRunError):
                    old = store.run(of)
                    yield name, old.resource, old.profile
