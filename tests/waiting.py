"""Waiting for something to come true, in tests."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], T], timeout_s: float = 20.0) -> T:
    """Wait until *condition* gives something true, and return that.

    Raises:
        AssertionError: it did not within *timeout_s* seconds.
    """
    for _ in range(int(timeout_s / 0.02)):
        if found := condition():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"Waited {timeout_s:g} s for {condition}.")
