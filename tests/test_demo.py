"""The demo holds its conversation with the real server, in a process of its own."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from leadpipe_mcp.cli import main
from leadpipe_mcp.demo import Screen, run_demo
from tests.docs.picture import drawn
from tests.snapshots import held_to
from tests.systems import needs_pipes

ROOT = Path(__file__).parents[1]
DEMO = [sys.executable, "-m", "leadpipe_mcp", "demo"]
ORDERS = [
    # The wrong filter is refused with what exists.
    (
        "calls plan_audience",
        "score 50 and up",
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


PICTURE = ROOT / "docs/demo.svg"
# What the scenes of the picture are known by.
SCENES = ("calls plan_audience", "There is no filter", "asks you Activate", "•••@")
TITLE = (
    "A conversation in a terminal: the assistant plans an audience and shows how large it is at"
    " each score; a filter that does not exist is refused; the user is asked before it is"
    " activated; five people are shown with masked e-mail addresses."
)


def test_it_shows_one_thing_leading_to_another_and_its_picture_is_the_one_of_the_readme() -> None:
    # The sandbox's people depend on the day.
    path = os.pathsep.join([str(ROOT / "tests/clock"), os.environ.get("PYTHONPATH", "")])
    fixed = {"PYTHONPATH": path, "FORCE_COLOR": "1", "COLUMNS": "100"}
    environment = {name: text for name, text in os.environ.items() if name != "NO_COLOR"} | fixed
    done = subprocess.run(
        [*DEMO, "--sonarly"],
        capture_output=True,
        timeout=240,
        check=False,
        encoding="utf-8",
        env=environment,
    )
    # Nothing of the server's log stands between what is said.
    assert (done.returncode, done.stderr) == (0, "")
    said = one_line(done.stdout)
    for order in ORDERS:
        assert sorted(order, key=said.index) == list(order)

    assert re.search(r"calls plan_audience .*? answers \d+ people match", said)
    assert re.search(r"answers \d+ people at \d+ companies", said)
    assert "state people score" in said
    assert re.search(r"answers 5 of \d+ people", said)
    assert len(re.findall(r"\w•••@[\w-]+\.example", said)) == 5

    calls, tokens = re.findall(r"(\d+) calls, ([\d,]+) tokens in all", said)[0]
    shown = [int(number) for number in re.findall(r"\((\d+) tokens\)", said)]
    assert int(calls) == len(shown) == 13
    assert sum(shown) < int(tokens.replace(",", "")) < 4_000

    scenes = done.stdout.split("\n\n")
    chosen = [scene for scene in scenes if any(words in one_line(scene) for words in SCENES)]
    assert len(chosen) == len(SCENES)
    held_to(PICTURE, drawn("\n\n".join(chosen), width=100, window="leadpipe-mcp demo", title=TITLE))


def one_line(text: str) -> str:
    """Return the words of a terminal without colours."""
    return re.sub(r"\s+", " ", re.sub(r"\x1b\[[\d;]*m", "", text))


def test_the_picture_is_small_has_a_title_and_loads_nothing() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    svg = ET.fromstring(text)  # noqa: S314 -- our own file

    assert svg[0].tag.endswith("title")
    assert svg[0].text == TITLE
    assert len(text.encode()) < 60_000
    assert "@font-face" not in text
    assert text.count("http") == text.count('xmlns="http://www.w3.org/2000/svg"') == 1
    assert set(re.findall(r"url\((.)", text)) == {"#"}


@pytest.mark.parametrize(
    ("terminal", "variable", "colored"),
    [(True, "", True), (True, "NO_COLOR", False), (False, "", False), (False, "FORCE_COLOR", True)],
)
def test_it_has_colours_on_a_terminal_unless_they_are_unwanted(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, variable: str, colored: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "72")
    if variable:
        monkeypatch.setenv(variable, "1")
    stdout = io.StringIO()
    monkeypatch.setattr(stdout, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdout", stdout)

    assert Screen.here() == Screen(width=72, colored=colored)


BROKEN = """\
import json, os, sys

for line in sys.stdin:
    asked = json.loads(line)
    names = " ".join(name for name in os.environ if name.startswith(("LEADPIPE_", "SONARLY_")))
    answers = {
        "initialize": {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "broken", "version": "1"},
        },
        "tools/list": {"tools": []},
        "tools/call": {"isError": True, "content": [{"type": "text", "text": f"Set: {names}"}]},
    }
    known = {"result": answers.get(asked["method"])}
    answer = known if known["result"] else {"error": {"code": -32601, "message": "unknown"}}
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}), flush=True)
"""


def test_it_stops_at_what_its_server_refuses_which_has_none_of_the_settings_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A server that is found before the real one and refuses all that it is asked for.
    package = tmp_path / "leadpipe_mcp"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADPIPE_READ_ONLY", "1")
    monkeypatch.setenv("SONARLY_API_KEY", "sk_live_0001")
    with pytest.raises(SystemExit) as caught:
        main(["demo"])
    assert caught.value.code == 1
    said = capsys.readouterr().err
    assert said == "\nThe demo stopped: plan_audience answered: Set: LEADPIPE_EXPORT_DIR\n"


def test_it_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("leadpipe_mcp.demo.DEADLINE_SECONDS", 0)
    assert run_demo() == 1
    assert "the conversation took more than 0 seconds" in capsys.readouterr().err


@needs_pipes
def test_a_reader_who_is_gone_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1, encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert run_demo() == 0
    assert capsys.readouterr().err == ""


@pytest.mark.machines
def test_without_sonarly_it_ends_with_how_to_install_the_server() -> None:
    done = subprocess.run(DEMO, capture_output=True, check=False, encoding="utf-8", timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    said = one_line(done.stdout)
    assert "sonarly" not in said
    assert "install claude-desktop --sandbox" in said


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
        assert any("create_audience" in line for line in demo.stdout)
        demo.stdout.close()
        logged = demo.stderr.read()
        assert " INFO plan_audience ok " in logged
        assert "Traceback" not in logged
        assert demo.wait(timeout=120) == 0
