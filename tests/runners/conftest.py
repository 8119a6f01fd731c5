"""Fixtures of the runners' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runners.worker_lab import Lab


@pytest.fixture
def lab(tmp_path: Path, python: str) -> Iterator[Lab]:
    """A batch folder for the worker under the interpreter `python`; what it starts is ended with the test."""
    made = Lab(tmp_path / "batch", python)
    yield made
    made.close()
