"""The catalogues of filters that a simulated service of either generation has."""

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.in_process import serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.vocabulary.catalog import FilterCatalog
from tests.faults.service import Sandbox


def catalog_of(profile: Any) -> FilterCatalog:  # noqa: ANN401 -- a Literal
    sandbox = Sandbox(SandboxSettings(people=100, examples=False, profile=profile))
    transport = Transport(
        "https://service.test", SecretStr("sk_test_0"), network=serve_in_process(sandbox)
    )
    return anyio.run(LeadpipeClient(transport).configs.filters)


@pytest.fixture(scope="session")
def catalogs() -> Mapping[str, FilterCatalog]:
    return {profile: catalog_of(profile) for profile in ("flat", "catalog")}


@pytest.fixture
def catalog(catalogs: Mapping[str, FilterCatalog]) -> FilterCatalog:
    """The catalogue of May 2026."""
    return catalogs["catalog"]
