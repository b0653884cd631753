"""What every test shares."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """How a client speaks: the revision of 2026-07-28, or the handshake of those before it."""
    return request.param
