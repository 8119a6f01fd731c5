"""The lab as a fixture."""

from collections.abc import Iterator

import pytest

from runners.config.home import Home
from tests.engine.lab import Lab


@pytest.fixture
def lab(home: Home) -> Iterator[Lab]:
    """A home with two local slots, and the handles to work with its engine."""
    lab = Lab(home)
    yield lab
    lab.store.close()
