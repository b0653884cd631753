"""Calls whose service fails, on a clock that leaps over every wait."""

import pytest


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting
