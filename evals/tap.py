"""The server as an assistant starts it, with each call noted: `python -m evals.tap FILE`.

It also hides that a client can put a question to its user. In one command nobody is there to
answer, so the server gives the assistant a confirmation code, and the prompt the user's answer.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


class Tap:
    """What has been called and not been answered yet, and the file for what has."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._calls: dict[object, str] = {}

    def sent(self, line: bytes) -> bytes:
        """Note a call, and return the message as the server is to read it."""
        message = _message(line)
        params: dict[str, Any] = message.get("params") or {}
        about: dict[str, Any] = params.get("_meta") or {}
        abilities: list[dict[str, Any] | None]
        abilities = [params.get("capabilities"), about.get(_CAPABILITIES)]
        if message.get("method") == "tools/call":
            self._calls[message["id"]] = params["name"]
        for can in abilities:
            if can and can.pop("elicitation", None) is not None:
                line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        return line

    def answered(self, line: bytes) -> None:
        """Note how long the answer to a call is."""
        message = _message(line)
        tool = self._calls.pop(message.get("id"), None)
        if tool is None:
            return
        result: dict[str, Any] = message.get("result") or {}
        texts = [part.get("text", "") for part in result.get("content", ())]
        noted = {"tool": tool, "characters": len("".join(texts))}
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(noted) + "\n")

    def pass_on(self, source: BinaryIO, target: BinaryIO) -> None:
        """Hand every message of a client to the server, until the client has no more."""
        for line in source:
            target.write(self.sent(line))
            target.flush()
        target.close()


def _message(line: bytes) -> dict[str, Any]:
    """What a line says; nothing where it is no single message."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def main() -> None:
    """Stand between the assistant and the server."""
    tap, command = Tap(Path(sys.argv[1])), [sys.executable, "-m", "leadpipe_mcp"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:  # noqa: S603 -- our own
        if server.stdin is None or server.stdout is None:
            raise RuntimeError("The server has no pipes.")
        pipes = (sys.stdin.buffer, server.stdin)
        threading.Thread(target=tap.pass_on, args=pipes, daemon=True).start()
        for line in server.stdout:
            tap.answered(line)
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
