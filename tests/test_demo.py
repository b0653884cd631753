"""The demo holds its conversation with the real server, in a process of its own."""

import json
import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def conversation() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "leadpipe_mcp", "demo"],
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


def test_the_wrong_filter_is_refused_with_what_exists(conversation: str) -> None:
    assert "refused There is no filter 'technologies'. There are: companyIndustry," in conversation
    assert "No filter knows technologies used" in conversation


def test_it_starts_with_a_plan(conversation: str) -> None:
    first, answer = re.findall(r"calls (\w+) .*? answers (\d+ people match)", conversation)[0]

    assert first == "plan_audience"
    assert answer


def test_the_human_is_asked_before_a_slot_is_taken(conversation: str) -> None:
    asked = conversation.index("asks you Activate 'Marketing leaders in software' (")

    assert conversation.index("calls set_status") < asked
    assert asked < conversation.index("is now active (was a draft).")


def test_the_people_are_real_answers_with_masked_addresses(conversation: str) -> None:
    assert re.search(r"answers 5 of \d+ people", conversation)
    assert len(re.findall(r"\w•••@[\w-]+\.example", conversation)) == 5


def test_everyone_is_profiled_asked_about_and_exported_once_the_human_agreed(
    conversation: str,
) -> None:
    assert re.search(r"answers \d+ people at \d+ companies", conversation)
    assert "state people score" in conversation
    asked = conversation.index("asks you Export 'Marketing leaders in software' (")
    assert "contactEmail goes out unmasked." in conversation
    assert asked < conversation.index("was exported: ")


def test_with_sonarly_both_services_take_part() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "leadpipe_mcp", "demo", "--sonarly"],
        capture_output=True,
        timeout=240,
        check=False,
        text=True,
        encoding="utf-8",
    )
    said = re.sub(r"\s+", " ", done.stdout)

    assert done.returncode == 0, done.stderr
    order = ("calls plan_audience", "linkedin_urls", "calls sonarly_create_audience")
    assert sorted(order, key=said.index) == list(order)
    assert "was created in 'Acme Growth'; it is empty so far." in said


def test_the_log_is_shown_to_whoever_asks_for_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "leadpipe_mcp", "demo", "--log-level", "info"],
        capture_output=True,
        timeout=240,
        check=False,
        text=True,
        encoding="utf-8",
    )

    assert done.returncode == 0, done.stderr
    assert " INFO plan_audience ok " in done.stderr


def test_the_tokens_are_counted(conversation: str) -> None:
    calls, tokens = re.findall(r"(\d+) calls, ([\d,]+) tokens in all", conversation)[0]

    assert calls == "11"
    shown = [int(number) for number in re.findall(r"\((\d+) tokens\)", conversation)]
    assert sum(shown) < int(tokens.replace(",", "")) < 3_000


def test_it_ends_with_a_configuration_to_paste(conversation: str) -> None:
    config, _ = json.JSONDecoder().raw_decode(conversation, conversation.index('{ "mcpServers"'))

    server = config["mcpServers"]["leadpipe"]
    assert [server["command"], *server["args"]] == [
        sys.executable,
        "-m",
        "leadpipe_mcp",
        "--sandbox",
    ]


def test_a_reader_who_has_seen_enough_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "leadpipe_mcp", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as demo:
        assert demo.stdout
        assert demo.stderr
        demo.stdout.readline()
        demo.stdout.close()

        assert "Traceback" not in demo.stderr.read()
        assert demo.wait(timeout=120) == 0
