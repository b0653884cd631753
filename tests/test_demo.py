"""The demo holds its conversation with the real server, in a process of its own."""

import json
import re
import subprocess
import sys

import pytest

DEMO = [sys.executable, "-m", "leadpipe_mcp", "demo"]
ORDERS = [
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
]


def test_it_shows_one_thing_leading_to_another_with_masked_people_and_the_tokens_counted() -> None:
    done = subprocess.run(
        [*DEMO, "--sonarly"], capture_output=True, timeout=240, check=False, encoding="utf-8"
    )
    # Nothing of the server's log stands between what is said.
    assert (done.returncode, done.stderr) == (0, "")
    said = re.sub(r"\s+", " ", done.stdout)
    for order in ORDERS:
        assert sorted(order, key=said.index) == list(order)

    assert re.search(r"calls plan_audience .*? answers \d+ people match", said)
    assert re.search(r"answers \d+ people at \d+ companies", said)
    assert "state people score" in said
    assert re.search(r"answers 5 of \d+ people", said)
    assert len(re.findall(r"\w•••@[\w-]+\.example", said)) == 5

    calls, tokens = re.findall(r"(\d+) calls, ([\d,]+) tokens in all", said)[0]
    shown = [int(number) for number in re.findall(r"\((\d+) tokens\)", said)]
    assert int(calls) == len(shown) == 14
    assert sum(shown) < int(tokens.replace(",", "")) < 4_000
    # It ends with a configuration to paste.
    config, _ = json.JSONDecoder().raw_decode(said, said.index('{ "mcpServers"'))
    server = config["mcpServers"]["leadpipe"]
    assert [server["command"], *server["args"]] == [*DEMO[:3], "--sandbox"]


@pytest.mark.machines
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
