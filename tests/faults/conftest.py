"""Calls whose service fails, on a clock that leaps over every wait."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator


@pytest.fixture
def anyio_backend(no_waiting: object) -> object:
    return no_waiting


@pytest.fixture(scope="session", autouse=True)
def schemas_checked_once() -> Iterator[None]:
    """The client checks each schema anew in each session: longer than all else here takes."""
    check, seen = Draft202012Validator.check_schema, set[str]()

    def once(schema: dict[str, Any]) -> None:
        text = json.dumps(schema, sort_keys=True)
        if text not in seen:
            check(schema)
            seen.add(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", once)
        yield
