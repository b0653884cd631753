"""Texts of a server that lacks tools, clause by clause: what is left out, and what remains."""

import pytest

from leadpipe_mcp.toolkit.offered import OfferedTools

ALL = ["get_audience", "run_audience", "list_audiences"]
OFFERED = OfferedTools(["list_audiences"], of=ALL)
WHOLE = OfferedTools(ALL, of=ALL)


@pytest.mark.parametrize(
    ("text", "fitted"),
    [
        ("Look at it. Then wait.", "Look at it. Then wait."),
        ("", ""),
        ("Call get_audience.", ""),
        ("First wait. Call get_audience. Then wait!", "First wait. Then wait!"),
        ("Call get_audience.\n\nThen wait.\n", "Then wait."),
        ("A.\n\nCall get_audience.  Then wait.", "A.\n\nThen wait."),
        ("A. Call get_audience.", "A."),
        ("so it is; say. Call get_audience. then wait;", "so it is; say. then wait;"),
        # Clauses.
        ("Wait; get_audience shows it.", "Wait."),
        ("get_audience shows it; wait!", "Wait!"),
        ("Call get_audience: it shows more; or wait?", "It shows more; or wait?"),
        ("get_audience shows it, or wait", "Wait"),
        ("Wait, or call get_audience, or  list_audiences.", "Wait, or  list_audiences."),
        ("Call run_audience;\nlist_audiences shows it.", "list_audiences shows it."),
        ("Call run_audience; waitSeconds waits.", "waitSeconds waits."),
        ("Call run_audience; `id` is needed.", "`id` is needed."),
        ("Call run_audience; é is a letter.", "É is a letter."),
        # A whole word, as it is written.
        ("Call get_audiences. Call xget_audience. See a/get_audience.",) * 2,
        ("Call Get_audience.",) * 2,
        ("Call list_audiences (or get_audience; yes). Wait.", "Call list_audiences. Wait."),
        ("Call it (here; see 'get_audience.' there). Wait.",) * 2,
        ("Call get_audience (here; or there). Wait (a. b; c).", "Wait (a. b; c)."),
        (
            "'a (get_audience) b' is saved (x) «get_audience; y». Call run_audience.",
            "'a (get_audience) b' is saved (x) «get_audience; y».",
        ),
        ("Bob's get_audience isn't there. Wait.", "Wait."),
        ("'A\nget_audience' is saved. Call run_audience.", "'A\nget_audience' is saved."),
        ("'a' (see 'b. c', or 'd') is saved; run_audience.", "'a' (see 'b. c', or 'd') is saved."),
    ],
)
def test_a_clause_that_names_a_tool_which_is_not_offered_is_left_out(
    text: str, fitted: str
) -> None:
    assert OFFERED.fit(text) == fitted
    assert WHOLE.fit(text) == text


def test_a_page_keeps_its_blocks_and_numbers_its_steps_anew() -> None:
    page = (
        "# Steps\n\nDo this with get_audience.\n\n1. Call run_audience; wait.\n2. Wait: or call"
        " get_audience.\n3. See list_audiences; run_audience starts it.\n10. Ask.\n\n\nThat is"
        " all (see get_audience).\n\n"
    )
    assert OFFERED.fit_page(page) == (
        "# Steps\n\n1. Wait.\n2. See list_audiences.\n3. Ask.\n\n\nThat is all.\n\n"
    )
    numbered = page.replace("10.", "4.")
    assert WHOLE.fit_page(numbered) == numbered


def test_every_description_of_a_schema_is_fitted_and_nothing_else() -> None:
    schema = {
        "description": "Wait; get_audience shows it.",
        "properties": {
            "description": {"description": "See run_audience.", "default": "run_audience."},
            "plain": {"type": "string"},
        },
        "anyOf": [{"description": "See list_audiences."}],
    }
    assert OFFERED.fit_schema(schema) == {
        "description": "Wait.",
        "properties": {
            "description": {"description": "", "default": "run_audience."},
            "plain": {"type": "string"},
        },
        "anyOf": [{"description": "See list_audiences."}],
    }
    assert WHOLE.fit_schema(schema) is schema


def test_a_tool_is_offered_by_its_name() -> None:
    assert "list_audiences" in OFFERED
    assert "get_audience" not in OFFERED
    found = OFFERED.any_tool.findall(
        "get_audience, List_Audiences and xrun_audience, run_audiencex"
    )
    assert found == ["get_audience", "List_Audiences"]
