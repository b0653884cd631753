"""Make the bundle for desktop assistants, dist/leadpipe-mcp.mcpb, and try it.

Run with `make bundle`. The bundle holds the package and a list of what it needs, which the
assistant has uv fetch on the user's machine (server type uv). Type python would put everything into
it; but some of that is compiled, so that each system and each Python would need its own bundle.

What was packed is unpacked again, and the server is started from there as the manifest says: with
an untouched form, and with one that was filled in.
"""

import json
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from leadpipe_mcp import __version__
from leadpipe_mcp.tools.toolsets import TOOLS
from tests.node import install, program, run
from tests.package.manifest import ENTRY, PROJECT, ROOT, manifest
from tests.processes import ENVIRONMENT

BUNDLE = ROOT / "dist" / "leadpipe-mcp.mcpb"
FOLDER = ROOT / ".venv" / "bundle"
PACKAGES = {"@anthropic-ai/mcpb": "2.1.2"}
LARGEST = 1_000_000
DEADLINE_SECONDS = 300  # the first start fetches what the server is made of
PROGRAM = "from leadpipe_mcp.cli import main\n\nmain()\n"
AS_THE_ASSISTANT = """\
import { readFileSync } from "node:fs";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";
const [extensionPath, form] = process.argv.slice(1);
const manifest = JSON.parse(readFileSync(`${extensionPath}/manifest.json`, "utf-8"));
const userConfig = JSON.parse(form);
const asked = { manifest, extensionPath, userConfig, systemDirs: {}, pathSeparator: "/" };
console.log(JSON.stringify(await getMcpConfigForManifest(asked)));
"""
"""How the maker of the format turns a manifest and a form into a command."""


def main() -> None:
    """Make the bundle, and raise an error unless it works."""
    install(FOLDER, PACKAGES)
    with tempfile.TemporaryDirectory(prefix="leadpipe bundle ") as folder:
        made, unpacked = Path(folder) / "made", Path(folder) / "unpacked"
        manifest = fill(made)
        official("validate", str(made / "manifest.json"))
        official("pack", str(made), str(BUNDLE))
        official("unpack", str(BUNDLE), str(unpacked))
        anyio.run(as_listed, command(unpacked, {}), manifest)
        filled_in = {"sandbox": True, "toolsets": "all", "read_only": False, "export_dir": folder}
        said = anyio.run(account, command(unpacked, filled_in))
    size, files = BUNDLE.stat().st_size, len(zipfile.ZipFile(BUNDLE).namelist())
    assert size < LARGEST, size
    sys.stdout.write(f"{BUNDLE.relative_to(ROOT)}: {size:,} bytes in {files} files.\n")
    sys.stdout.write(f"From it, {len(manifest['tools'])} tools with an untouched form; {said}\n")


def fill(folder: Path) -> dict[str, Any]:
    """Put everything into the folder that goes into the bundle, and return the manifest."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    shutil.copytree(ROOT / "leadpipe_mcp", folder / "leadpipe_mcp", ignore=ignored)
    shutil.copy(ROOT / "LICENSE", folder)
    made = anyio.run(manifest)
    texts = {
        "manifest.json": json.dumps(made, indent=2, ensure_ascii=False) + "\n",
        "pyproject.toml": "[project]\n"
        f'name = "{PROJECT["name"]}"\n'
        f'version = "{__version__}"\n'
        f'requires-python = "{PROJECT["requires-python"]}"\n'
        f"dependencies = {json.dumps(PROJECT['dependencies'], indent=2)}\n"
        "\n[tool.uv]\npackage = false\n",
        ENTRY: PROGRAM,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return made


def official(*arguments: str) -> None:
    """Run the tool of the format's maker, or end with what it says."""
    done = program(FOLDER, "mcpb", *arguments)
    if done.returncode:
        sys.exit(f"mcpb {arguments[0]}: {done.stdout}{done.stderr}")


def command(unpacked: Path, form: dict[str, Any]) -> StdioServerParameters:
    """What an assistant starts for a bundle and a form; what is fetched stays in the checkout."""
    module = ("--input-type=module", "--eval", AS_THE_ASSISTANT)
    done = run(FOLDER, *module, str(unpacked), json.dumps(form))
    assert done.returncode == 0, done.stderr
    server = StdioServerParameters.model_validate_json(done.stdout)
    tools = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    tools |= {"UV_CACHE_DIR": str(FOLDER / "uv"), "UV_PYTHON": sys.executable}
    server.env = ENVIRONMENT | tools | (server.env or {})
    return server


async def as_listed(server: StdioServerParameters, manifest: dict[str, Any]) -> None:
    """Start the server with an untouched form, and see whether it is what the manifest says."""
    with anyio.fail_after(DEADLINE_SECONDS):
        async with Client(stdio_client(server)) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
    assert tools == [tool["name"] for tool in manifest["tools"]]
    assert prompts == [prompt["name"] for prompt in manifest["prompts"]]


async def account(server: StdioServerParameters) -> str:
    """Start the server in its sandbox with every tool, and return how the account stands."""
    with anyio.fail_after(DEADLINE_SECONDS):
        async with Client(stdio_client(server)) as client:
            assert len((await client.list_tools()).tools) == len(TOOLS)
            result = await client.call_tool("get_account_status", {})
    assert result.structured_content
    return result.structured_content["summary"]


if __name__ == "__main__":
    main()
