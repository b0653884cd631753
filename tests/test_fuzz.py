"""Lines that no client should send: none of them stops the server, or shows in its log.

Two processes, one for each era, get the same lines: those that somebody thought of, then some that
chance makes, the same ones every time. Between them are calls that have to be answered.
"""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.processes import COMMAND, ENVIRONMENT, GREETING, META, running

CANARY = "Canary"
SEED, BY_CHANCE, AT_ONCE = 7, 150, 25


def request(number: object = 5, method: object = "ping", **more: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, **more}).encode()


def call(name: object, arguments: object = None, **meta: object) -> bytes:
    params = {"name": name, "arguments": arguments, "_meta": META | meta}
    return request(77, "tools/call", params=params)


def notification(method: str, params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()


def nested(brackets: bytes, times: int) -> bytes:
    return brackets[:1] * times + brackets[1:] * times


THOUGHT_OF = [
    *(b"", b" \t ", b"\r", b"Canary", b'"Canary"', b"null", b"\x00", b"\xff\xfe\xfa Canary"),
    *(request()[:20], request() + b"\r", b"\xef\xbb\xbf" + request(), b"[" + request() + b"]"),
    *(request().replace(b"{", b"{\x00"), request().replace(b"2.0", b"1.0")),
    request().replace(b'"jsonrpc": "2.0", ', b""),
    b'{"jsonrpc": "2.0", "id": 5, "id": 6, "method": "ping"}',
    b'{"jsonrpc": "2.0", "id": "\xed\xa0\x80", "method": "ping"}',
    # Ids: of every type, and twice.
    *(request(n) for n in (0, -5, 10**30, 10**4000, 1.5, True, None, [1], {CANARY: 1}, "", CANARY)),
    *(request(n) for n in ("\ud83d", "\u2028", "x" * 10_000, 5, 5)),
    *(request("ID").replace(b'"ID"', number) for number in (b"1e999", b"NaN", b"9" * 5_000)),
    # Depth and length.
    b"[" * 100_000,
    request(5, params={"a": "X"}).replace(b'"X"', nested(b"[]", 100_000)),
    call("list_audiences", {"nameContains": "X"}).replace(b'"X"', nested(b"[]", 150)),
    request(5, params={"a": CANARY * 800_000}),
    request(5, params={"a": CANARY * 3_000_000}),
    b"[" + b",".join([request(), *[notification("notifications/initialized", None)] * 300]) + b"]",
    # Methods, and what they take.
    *(request(5, method) for method in (f"{CANARY}/list", 5, "\ud83d", "tools/call")),
    *(request(5, params=params) for params in ([1], CANARY, None, {"_meta": CANARY})),
    request(5, "initialize", params={"protocolVersion": 5}),
    request(5, "tools/list", params={"cursor": {CANARY: 1}}),
    request(5, "tools/call", params={}),
    request(5, "logging/setLevel", params={"level": CANARY}),
    request(5, "resources/read", params={"uri": f"leadpipe://audiences/{CANARY}\0"}),
    request(5, "prompts/get", params={"name": [CANARY]}),
    request(5, "prompts/get", params={"name": "build-audience", "arguments": {"goal": "\ud83d"}}),
    request(5, "completion/complete", params={"ref": {"type": CANARY}, "argument": CANARY}),
    request(5, "elicitation/create", params={"message": CANARY}),
    # Names and arguments of tools.
    *(call(name) for name in (5, None, "", CANARY, f"\x1b[31m{CANARY}\u202e\0", "x" * 20_000)),
    *(call(name) for name in ([CANARY], {CANARY: 1})),
    *(call("list_audiences", arguments) for arguments in (CANARY, 5, None, [CANARY], {CANARY: 1})),
    call("list_audiences", {f"\x1b[31m{CANARY}\u202e\0": 1}),
    *(call("list_audiences", {"nameContains": f"{odd}Canary"}) for odd in ("\0\x1b", "\ud83d")),
    call("list_audiences", {"limit": "X"}).replace(b'"X"', b"9" * 5_000),
    call("list_audiences", {"limit": "X"}).replace(b'"X"', b"-Infinity"),
    call("find_filters", {"words": [f"\udc00 {CANARY}"]}),
    call("create_audience", {"name": "x", "config": '{"topicIds": ["\\ud83d Canary"]}'}),
    call("create_audience", {"name": "x", "config": "[" * 100_000}),
    call("list_audiences", {}, progressToken={CANARY: 1}),
    # What nobody asked for.
    *(notification("notifications/cancelled", {"requestId": n}) for n in (CANARY, 10**30, None)),
    *(notification("notifications/cancelled", params) for params in (CANARY, None, 5)),
    notification("notifications/progress", {"progressToken": 1, "progress": CANARY}),
    notification(f"notifications/{CANARY}", None),
    b'{"jsonrpc": "2.0", "id": 9, "result": {"Canary": 1}}',
    b'{"jsonrpc": "2.0", "id": 9, "error": {"code": 1, "message": "Canary"}}',
    b'{"jsonrpc": "2.0", "id": null, "error": {"code": "Canary", "message": 5}}',
    *[request(5, "initialize", params={"protocolVersion": "2025-06-18", "capabilities": {}})] * 2,
]


def by_chance(chance: Random) -> Iterator[bytes]:
    """The same lines, the short ones, with some bytes that are others."""
    short = [line for line in THOUGHT_OF if len(line) < 1_000]
    while True:
        line = bytearray(chance.choice(short))
        for _ in range(chance.choice([1, 3])):
            start = chance.randrange(len(line) + 1)
            line[start : start + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        yield bytes(line).replace(b"\n", b"")


@pytest.mark.parametrize("modern", [False, True])
def test_no_line_stops_the_server_or_shows_in_its_log(tmp_path: Path, *, modern: bool) -> None:
    chance = by_chance(Random(SEED))  # noqa: S311 -- the same lines every time
    odd = [*THOUGHT_OF, *(next(chance) for _ in range(BY_CHANCE))]
    well = {"name": "list_audiences", "arguments": {}, **({"_meta": META} if modern else {})}
    # The first request decides of which era the connection is.
    called = request("hello", "tools/call", params=well)
    lines = [called if modern else request("hello", "initialize", params=GREETING)]
    asked: set[str] = set()
    for start in range(0, len(odd), AT_ONCE):
        # Those of the other era would all be refused as such.
        batch = odd[start : start + AT_ONCE]
        lines += [line if modern else line.replace(b"modelcontextprotocol/", b"") for line in batch]
        asked.add(f"well-{start}")
        lines.append(request(f"well-{start}", "tools/call", params=well))

    with (tmp_path / "log").open("w+b") as log:
        process = subprocess.Popen(
            [*COMMAND, "--sandbox", "--log-level", "DEBUG"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=ENVIRONMENT,
        )
        with running(process):
            stdin, stdout = process.stdin, process.stdout
            assert stdin is not None
            assert stdout is not None

            def write() -> None:
                stdin.write(b"\n".join([*lines, b""]))
                stdin.flush()

            writer = threading.Thread(target=write)
            writer.start()
            while asked:
                message = json.loads(stdout.readline().decode())
                assert message["jsonrpc"] == "2.0"
                assert len({"result", "error", "method"} & set(message)) == 1
                # It holds no half of a character.
                json.dumps(message, ensure_ascii=False).encode()
                if message.get("id") in asked:
                    assert not message["result"]["isError"]
                    asked.remove(message["id"])
            writer.join()
            stdin.close()
            assert process.wait() == 0
        log.seek(0)
        logged = log.read()
    assert b"Traceback" not in logged
    assert CANARY.encode() not in logged
