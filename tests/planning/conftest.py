"""A simulated service for plans, and time that need not pass while they are made."""

import pytest

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from tests.faults.service import Sandbox
from tests.planning.service import planning_with, start


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


@pytest.fixture
def sandbox() -> Sandbox:
    return start()


@pytest.fixture
def leadpipe(sandbox: Sandbox) -> LeadpipeClient:
    return planning_with(sandbox)
