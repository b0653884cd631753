"""JSON with comments is changed in one place, whatever it holds."""

import json
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from leadpipe_mcp.clients.jsonc import read_json, with_member, without_member

PATH = ("mcpServers", "leadpipe")
ENTRY: dict[str, object] = {"command": "leadpipe-mcp", "args": ["--sandbox"], "env": {}}
NAMES = st.sampled_from(["mcpServers", "notes", "a b", 'q"', "//", "}", "leadpipe ", "\u00e4"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "// no", "/* no */", "},{", "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)
SERVERS = st.dictionaries(NAMES, VALUES, max_size=3)


@st.composite
def commented(draw: st.DrawFn) -> str:
    """An object as an editor may keep it, with comments and trailing commas."""
    held = draw(st.dictionaries(NAMES, VALUES, max_size=3))
    if draw(st.booleans()):
        held["mcpServers"] = draw(SERVERS)
    else:
        held.pop("mcpServers", None)
    text = json.dumps(held, indent=draw(st.sampled_from([None, 2, "\t"])), ensure_ascii=False)
    comment = draw(st.sampled_from(["", " // mine", " /* mine */", " /* {\n} */"]))
    lines = text.splitlines()
    ends = [line.endswith(("}", "]")) and draw(st.booleans()) for line in lines]
    after = [*(line.lstrip()[:1] in {"}", "]"} for line in lines[1:]), False]
    return "\n".join(
        f"{line}{',' if end and last else ''}{comment}"
        for line, end, last in zip(lines, ends, after, strict=True)
    )


@given(commented())
def test_a_member_is_put_in_and_taken_out_and_nothing_else_changes(text: str) -> None:
    before = cast("dict[str, object]", read_json(text))
    servers = cast("dict[str, object]", before.get("mcpServers", {}))

    changed = with_member(text, *PATH, ENTRY)
    assert read_json(changed) == {**before, "mcpServers": {**servers, "leadpipe": ENTRY}}
    assert changed.count("mine") == text.count("mine")

    again = without_member(changed, *PATH)
    assert read_json(again) == {**before, "mcpServers": servers}
    assert again.count("mine") == text.count("mine")

    replaced = with_member(with_member(text, *PATH, {"old": ["}"]}), *PATH, ENTRY)
    assert read_json(replaced) == read_json(changed)
