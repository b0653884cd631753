"""What the page's text itself shows, without a browser."""

import base64
import hashlib
import re

import pytest

from leadpipe_mcp.apps import page

PAGE = page()
STYLE = PAGE.split("<style>")[1].split("</style>")[0]
SCRIPT = PAGE.split("<script>")[1].split("</script>")[0]


@pytest.mark.parametrize(("kind", "text"), [("script", SCRIPT), ("style", STYLE)])
def test_the_policy_allows_just_the_script_and_the_style_in_the_file(kind: str, text: str) -> None:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert f"{kind}-src 'sha256-{digest}'" in PAGE, f"the hash of the {kind} is sha256-{digest}"
    assert "default-src 'none'" in PAGE
    assert "base-uri 'none'; form-action 'none'" in PAGE


def test_no_value_can_become_markup_or_a_program() -> None:
    ways = "innerHTML|outerHTML|insertAdjacentHTML|document.write|DOMParser|eval|Function|srcdoc"
    assert re.findall(rf"\b(?:{ways})\b", SCRIPT) == []
    assert re.findall(r"\son\w+=|javascript:", PAGE) == []


def test_nothing_is_loaded_from_anywhere_and_nothing_is_kept() -> None:
    assert re.findall(r"https?://|@import|url\(|\bsrc=|<link|<iframe|<img", PAGE) == []
    assert re.findall(r"Storage|cookie|indexedDB|fetch\(|XMLHttpRequest|WebSocket", SCRIPT) == []


def test_the_page_cannot_confirm_and_calls_nothing_that_spends() -> None:
    called = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', SCRIPT))
    assert called == {
        *("preview_audience", "plan_audience", "create_audience"),
        *("analyze_audience", "get_account_status"),
    }
    assert "confirm" not in SCRIPT
    assert "{ name, config }" in SCRIPT  # all that a draft is saved with: no status


def test_the_page_is_small_and_has_a_place_for_a_report() -> None:
    assert len(PAGE.encode()) < 60_000
    assert PAGE.count('<script type="application/json" id="report">null</script>') == 1
    assert max(map(len, PAGE.splitlines())) < 250
