"""A picture of a terminal: an SVG that loads nothing, for light pages and dark ones."""

import re
from io import StringIO
from textwrap import indent

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

_BLACK, _RED, _GREEN, _YELLOW = (30, 35, 46), (255, 123, 114), (86, 211, 140), (240, 190, 90)
_BLUE, _MAGENTA, _CYAN, _WHITE = (110, 168, 254), (226, 158, 255), (96, 205, 228), (214, 220, 230)
COLORS = [_BLACK, _RED, _GREEN, _YELLOW, _BLUE, _MAGENTA, _CYAN, _WHITE]
THEME = TerminalTheme((22, 27, 36), (222, 227, 236), COLORS, COLORS)
# As rich's own, without a font of someone else's; the title is what a screen reader says.
FORMAT = """\
<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{unique_id}-title"
 xmlns="http://www.w3.org/2000/svg">
<title id="{unique_id}-title">TITLE</title>
<style>
.{unique_id}-matrix {{
  font: {char_height}px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-variant-ligatures: none;
}}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g></g></svg>
"""


def drawn(shown: str, *, width: int, window: str, title: str) -> str:
    """What a terminal shows, in a window with a name; `title` is for those who do not see it."""
    console = Console(record=True, width=width + 2, file=StringIO(), legacy_windows=False)
    margin = indent(f"\n{shown}\n", " ", lambda _: True)
    console.print(Text.from_ansi(margin), soft_wrap=True)
    code = FORMAT.replace("TITLE", title)
    svg = console.export_svg(title=window, theme=THEME, code_format=code, unique_id="demo")
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)
