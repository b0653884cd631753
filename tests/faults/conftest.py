"""Calls whose service fails, on a clock that leaps over every wait."""

import json
import selectors
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


@pytest.fixture(autouse=True)
def threads_waited_for_in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is done, and has not said so, would be waited for as long as a timer runs."""
    select = selectors.DefaultSelector.select

    def in_short(
        selector: selectors.DefaultSelector, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        return select(selector, min(timeout or 0, 0.005) if timeout != 0 else 0)

    monkeypatch.setattr(selectors.DefaultSelector, "select", in_short)
