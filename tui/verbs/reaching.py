"""A note on runs that go on while what they are on is changed."""

from __future__ import annotations

from contextlib import closing

from runners.config.home import Home
from runners.in_use import runs_on
from runners.store.database import StoreError
from tui import output
from tui.live_words import live_words
from tui.verbs.opening import open_store


def tell_live(home: Home, resource: str, profile: str | None) -> None:
    """Note that live runs are reached by what is saved of a resource or profile."""
    try:
        if (store := open_store(home)) is None:
            return
        with closing(store):
            words = live_words(len(runs_on(store, resource, profile)))
    except StoreError as error:
        # No reason to refuse what concerns files alone.
        words = f"Whether live runs are on it can't be told. {error}"
    if words:
        output.note(words)
