"""The draft that most tests of forms begin with."""

from __future__ import annotations

import pytest

from tests.forms.documents import cluster
from tui.forms.draft import Draft
from tui.forms.spec import RESOURCE_SPEC


@pytest.fixture
def draft() -> Draft:
    """A saved cluster."""
    return Draft(RESOURCE_SPEC, cluster(), saved=cluster())
