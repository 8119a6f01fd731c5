"""Renaming and removing resources and profiles, with what was typed of them and not saved.

The dashboard and the command line both do it through here. Reads and writes files: for threads. Imports no
textual.
"""

from __future__ import annotations

from runners.config.folders import remove_profile, remove_resource, rename_profile, rename_resource
from runners.config.home import Home
from runners.in_use import out_of_use
from tui.drafts import forget_drafts, move_drafts, refuse_typed
from tui.workplace import forget_edits, move_edits


def rename_document(home: Home, resource: str, profile: str | None, name: str) -> None:
    """Give a resource another name, or its profile where one is named.

    Raises:
        ConfigError: a run is on it, something was typed under the new name, or it can't be renamed.
        StoreError: the store, which knows of runs, can't be used.
    """
    refuse_typed(home, *((name, None) if profile is None else (resource, name)))
    with out_of_use(home, resource, profile, done="renamed"):
        if profile is None:
            rename_resource(home.resources, resource, name)
        else:
            rename_profile(home.resources, resource, profile, name)
    move_drafts(home, resource, profile, name)
    move_edits(home.state, resource, profile, name)


def remove_document(home: Home, resource: str, profile: str | None) -> None:
    """Remove a resource with its profiles, or the profile that is named.

    Raises:
        ConfigError: a run is on it, or it can't be removed.
        StoreError: the store, which knows of runs, can't be used.
    """
    with out_of_use(home, resource, profile, done="removed"):
        if profile is None:
            remove_resource(home.resources, resource)
        else:
            remove_profile(home.resources, resource, profile)
    forget_drafts(home, resource, profile)
    forget_edits(home.state, resource, profile)
