"""Real clusters as fixtures: brought up once, and made healthy before each test that uses one.

`RUNYARD_LAB_ROOT` names a debootstrapped system that they live in, for `make test-matrix`; without it they
live on this machine. Where no lab can be had, its tests are skipped.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.lab.packages import why_no_lab

ROOT = Path(os.environ["RUNYARD_LAB_ROOT"]) if os.environ.get("RUNYARD_LAB_ROOT") else None
"""The system that clusters live in; None: this one."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tests that are skipped because no lab can be had are one line of the summary, not one line each."""
    report = yield
    if isinstance(report.longrepr, tuple) and report.longrepr[2] == f"Skipped: {why_no_lab()}":
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture(scope="session")
def lab_session() -> Iterator[Lab]:
    """The cluster of :func:`lab`, in whatever state the last test left it."""
    yield from _lab()


@pytest.fixture
def lab(lab_session: Lab) -> Lab:
    """A healthy cluster without accounting."""
    lab_session.heal()
    return lab_session


@pytest.fixture(scope="session")
def forgetful_lab_session() -> Iterator[Lab]:
    """The cluster of :func:`forgetful_lab`, in whatever state."""
    yield from _lab(min_job_age_s=5)


@pytest.fixture
def forgetful_lab(forgetful_lab_session: Lab) -> Lab:
    """A healthy cluster whose squeue forgets jobs 5 seconds after their end, as those of busy sites do."""
    forgetful_lab_session.heal()
    return forgetful_lab_session


@pytest.fixture(scope="session")
def accounting_lab_session() -> Iterator[Lab]:
    """The cluster of :func:`accounting_lab`, in whatever state."""
    if ROOT:
        pytest.skip("a cluster in another system has no accounting")
    yield from _lab(accounting=True)


@pytest.fixture
def accounting_lab(accounting_lab_session: Lab) -> Lab:
    """A healthy cluster with accounting."""
    accounting_lab_session.heal()
    return accounting_lab_session


@pytest.fixture
def lab_folder() -> Iterator[Path]:
    """An empty folder for a lab of one's own; a lab that is still in it is taken down.

    Other users can pass it, unlike pytest's own.
    """
    if reason := why_no_lab():
        pytest.skip(reason)
    above = Path(tempfile.mkdtemp(prefix="runyard-lab-", dir="/tmp"))
    above.chmod(0o755)
    yield above / "lab"
    if (above / "lab" / "lab.json").exists():
        Lab.at(above / "lab").down()
    shutil.rmtree(above)


def _lab(accounting: bool = False, min_job_age_s: int = 300) -> Iterator[Lab]:
    if reason := why_no_lab():
        pytest.skip(reason)
    lab = Lab.up_somewhere(accounting=accounting, root=ROOT, min_job_age_s=min_job_age_s)
    yield lab
    lab.down()
