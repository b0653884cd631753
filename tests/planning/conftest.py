"""Time that need not pass while plans are made."""

import pytest


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting
