"""The catalogues of filters that a simulated service of either generation has."""

from collections.abc import Mapping

import anyio
import pytest

from leadpipe_mcp.vocabulary.catalog import FilterCatalog
from tests.planning.service import client_of, start


@pytest.fixture(scope="session")
def catalogs() -> Mapping[str, FilterCatalog]:
    clients = {name: client_of(start(people=100, profile=name)) for name in ("flat", "catalog")}
    return {name: anyio.run(client.configs.filters) for name, client in clients.items()}


@pytest.fixture
def catalog(catalogs: Mapping[str, FilterCatalog]) -> FilterCatalog:
    """The catalogue of May 2026."""
    return catalogs["catalog"]
