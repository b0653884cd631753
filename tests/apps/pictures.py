"""Pictures of the page for the documents, drawn by the system's browser from the sandbox.

`make docs` runs it, on the day of all that the documents show: python -m tests.apps.pictures, with
tests/clock in PYTHONPATH. They are not compared with anything: fonts differ.
"""

import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
from PIL import Image

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.apps.host import CHROMIUM, Host, chromium, hosting
from tests.apps.seen import PLAN
from tests.apps.test_audience import example

DOCS = Path(__file__).parents[2] / "docs"
LARGEST = 200_000
COLORS = 128
NARROW = 360


@dataclass(frozen=True)
class Picture:
    """A picture of the page, this wide, and as high as the page but no higher than this."""

    name: str
    theme: str = "light"
    width: int = 760
    height: int = 1300


PLANS = (
    Picture("plan-light"),
    Picture("plan-dark", theme="dark"),
    Picture("plan-narrow", width=NARROW),
)
AUDIENCE = Picture("audience")


async def draw() -> None:
    """Draw all pictures."""
    server = build_server(Settings(sandbox=True), service=Sandbox(SandboxSettings()))
    async with chromium() as browser, hosting(browser, server, scale=2) as host:
        for picture in PLANS:
            await show(host, picture, "plan_audience", PLAN)
            await keep(host, picture)
        await show(host, AUDIENCE, "get_audience", {"id": await example(host)})
        for number, button in enumerate(("Who are they?", "What is new since"), start=1):
            await host.page.get_by_role("button", name=button).click()
            await host.settled(number)
        await keep(host, AUDIENCE)


async def show(host: Host, picture: Picture, tool: str, arguments: dict[str, Any]) -> None:
    """Show the page of a call in a window of the picture's width."""
    await host.around.set_viewport_size({"width": picture.width, "height": 900})
    await host.show(tool, arguments, theme=picture.theme)


async def keep(host: Host, picture: Picture) -> None:
    """Save what is shown as a picture."""
    await host.settled(0)
    body = await host.page.locator("body").bounding_box()
    assert body
    height = min(round(body["height"]), picture.height)
    await host.around.set_viewport_size({"width": picture.width, "height": height})
    shot = packed(await host.around.screenshot(animations="disabled", caret="hide"))
    (DOCS / f"{picture.name}.png").write_bytes(shot)
    assert len(shot) < LARGEST, f"{picture.name} is too large: {len(shot):,} bytes"


def packed(png: bytes) -> bytes:
    """Return the same picture with fewer colours, at a fraction of its size."""
    with Image.open(BytesIO(png)) as shot:
        few = shot.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    file = BytesIO()
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.stdout.write("There is no Chromium here: the pictures in docs/ are left as they are.\n")
    else:
        anyio.run(draw)
