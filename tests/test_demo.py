"""The demo holds its conversation with the real server, in a process of its own."""

import json
import re
import subprocess
import sys

import pytest

DEMO = [sys.executable, "-m", "leadpipe_mcp", "demo"]


@pytest.fixture(scope="module")
def conversation() -> str:
    """What is said with both services."""
    done = subprocess.run(
        [*DEMO, "--sonarly"],
        capture_output=True,
        timeout=240,
        check=False,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    # Nothing of the server's log stands between what is said.
    assert done.stderr == ""
    return re.sub(r"\s+", " ", done.stdout)


@pytest.mark.parametrize(
    "order",
    [
        # The wrong filter is refused with what exists.
        (
            "calls plan_audience",
            "refused There is no filter 'technologies'. There are: companyIndustry,",
            "No filter knows technologies used",
        ),
        # The human is asked before a slot is taken, and before addresses go out.
        (
            "calls set_status",
            "asks you Activate 'Marketing leaders in software' (",
            "is now active (was a draft).",
        ),
        (
            "asks you Export 'Marketing leaders in software' (",
            "contactEmail goes out unmasked.",
            "was exported: ",
        ),
        # Both services take part.
        (
            "linkedin_urls",
            "calls sonarly_create_audience",
            "was created in 'Acme Growth'; it is empty so far.",
        ),
    ],
)
def test_one_thing_leads_to_another(order: tuple[str, ...], conversation: str) -> None:
    assert sorted(order, key=conversation.index) == list(order)


def test_people_are_shown_and_counted_with_masked_addresses(conversation: str) -> None:
    assert re.search(r"calls plan_audience .*? answers \d+ people match", conversation)
    assert re.search(r"answers \d+ people at \d+ companies", conversation)
    assert "state people score" in conversation
    assert re.search(r"answers 5 of \d+ people", conversation)
    assert len(re.findall(r"\w•••@[\w-]+\.example", conversation)) == 5


def test_the_tokens_are_counted(conversation: str) -> None:
    calls, tokens = re.findall(r"(\d+) calls, ([\d,]+) tokens in all", conversation)[0]
    shown = [int(number) for number in re.findall(r"\((\d+) tokens\)", conversation)]
    assert int(calls) == len(shown) == 14
    assert sum(shown) < int(tokens.replace(",", "")) < 4_000


def test_it_ends_with_a_configuration_to_paste(conversation: str) -> None:
    config, _ = json.JSONDecoder().raw_decode(conversation, conversation.index('{ "mcpServers"'))
    server = config["mcpServers"]["leadpipe"]
    assert [server["command"], *server["args"]] == [*DEMO[:3], "--sandbox"]


def test_a_reader_who_has_seen_enough_ends_it_quietly_and_the_log_is_shown_if_asked_for() -> None:
    with subprocess.Popen(
        [*DEMO, "--log-level", "info"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as demo:
        assert demo.stdout
        assert demo.stderr
        while "calls create_audience" not in demo.stdout.readline():
            pass
        demo.stdout.close()
        logged = demo.stderr.read()
        assert " INFO plan_audience ok " in logged
        assert "Traceback" not in logged
        assert demo.wait(timeout=120) == 0
