"""Real clusters for tests: brought up once, and made healthy before each test that uses one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.lab.packages import why_no_lab

ROOT = os.environ.get("RUNYARD_LAB_ROOT")
"""The debootstrapped system that clusters live in, for `make test-matrix`; without it: this one."""


@pytest.fixture(scope="session")
def lab_session() -> Iterator[Lab]:
    """The cluster without accounting, in whatever state the last test left it; tests want :func:`lab`."""
    yield from _lab(root=Path(ROOT) if ROOT else None)


@pytest.fixture
def lab(lab_session: Lab) -> Lab:
    """A healthy cluster without accounting."""
    lab_session.heal()
    return lab_session


@pytest.fixture(scope="session")
def accounting_lab_session() -> Iterator[Lab]:
    """The cluster with accounting, in whatever state; tests want :func:`accounting_lab`."""
    if ROOT:
        pytest.skip("a cluster in another system has no accounting")
    yield from _lab(accounting=True)


@pytest.fixture
def accounting_lab(accounting_lab_session: Lab) -> Lab:
    """A healthy cluster with accounting."""
    accounting_lab_session.heal()
    return accounting_lab_session


@pytest.fixture(scope="session")
def forgetful_lab_session() -> Iterator[Lab]:
    """The cluster of :func:`forgetful_lab`, in whatever state."""
    yield from _lab(root=Path(ROOT) if ROOT else None, min_job_age_s=5)


@pytest.fixture
def forgetful_lab(forgetful_lab_session: Lab) -> Lab:
    """A healthy cluster whose squeue forgets jobs 5 seconds after their end, as busy sites' do."""
    forgetful_lab_session.heal()
    return forgetful_lab_session


def _lab(root: Path | None = None, accounting: bool = False, min_job_age_s: int = 300) -> Iterator[Lab]:
    if reason := why_no_lab():
        pytest.skip(reason)
    # Not below pytest's own folder, which other users can't pass.
    folder = Path(tempfile.mkdtemp(prefix="runyard-lab-", dir="/tmp"))
    try:
        lab = Lab.up(folder, accounting=accounting, root=root, min_job_age_s=min_job_age_s)
        yield lab
        lab.down()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
