"""JSON as editors keep it, with comments and trailing commas: read, and changed in one place only.

A change is made in the text, so that everything else stays as somebody wrote it: their comments,
order, indentation and line ends.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = re.compile(
    r'(?P<space>\s+|//[^\r\n]*|/\*.*?\*/)|"(?:[^"\\\r\n]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"/]+',
    re.DOTALL,
)


def read_json(text: str) -> object:
    """Return what the text holds; ValueError says where it is no JSON."""
    tokens = _tokens(text)
    kept = [
        token
        for token, after in zip(tokens, [*tokens[1:], None], strict=False)
        if not (token.text == "," and after and after.text in {"}", "]"})
    ]
    # Each stays where it was, so that a fault is found on its own line.
    plain, end = list[str](), 0
    for token in kept:
        plain += [re.sub(r"[^\n]", " ", text[end : token.start]), token.text]
        end = token.end
    try:
        return json.loads("".join(plain))
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} cannot be understood") from None


def with_member(text: str, group: str, name: str, value: object) -> str:
    """Return the text with this member of an object of its own set, and that object made."""
    tokens = _tokens(text)
    whole = _Inside.of(tokens, 0)
    if group not in whole.members:
        return _added(text, tokens, whole, f"{json.dumps(group)}: ", {name: value})
    inside = _Inside.of(tokens, whole.members[group].value)
    if name not in inside.members:
        return _added(text, tokens, inside, f"{json.dumps(name)}: ", value)
    member = inside.members[name]
    start, end = tokens[member.value].start, tokens[member.last].end
    written = _written(value, _indent(text, tokens[member.key].start), text)
    return text[:start] + written + text[end:]


def without_member(text: str, group: str, name: str) -> str:
    """Return the text without this member, which has to be there."""
    tokens = _tokens(text)
    member = _Inside.of(tokens, _Inside.of(tokens, 0).members[group].value).members[name]
    start, end = tokens[member.key].start, tokens[member.last].end
    before, after = tokens[member.key - 1], tokens[member.last + 1]
    if after.text == ",":
        end = after.end
    elif before.text == "," and text[before.end : start].isspace():
        return text[: before.start] + text[end:]
    elif before.text == ",":
        # A comment stands between, and stays.
        text = text[: before.start] + " " + text[before.end :]
    head, tail = text[:start].rstrip(" \t"), text[end:].lstrip(" \t")
    if head.rstrip().endswith("{") and tail.lstrip().startswith("}"):
        return head.rstrip() + tail.lstrip()
    # A line that is left empty goes as well.
    if head.endswith("\n") and tail.startswith(("\n", "\r\n")):
        return head + tail.removeprefix("\r").removeprefix("\n")
    return text[:start] + text[end:]


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Member:
    """The tokens of a member: its key, the first of its value, and the last."""

    key: int
    value: int
    last: int


@dataclass(frozen=True)
class _Inside:
    """An object's members by name, and the tokens that open and close it."""

    members: Mapping[str, _Member]
    opening: int
    closing: int

    @classmethod
    def of(cls, tokens: list[_Token], opening: int) -> "_Inside":
        depth, keys, ends, index = 1, list[int](), list[int](), opening
        while depth:
            index += 1
            text = tokens[index].text
            depth += (text in {"{", "["}) - (text in {"}", "]"})
            if text == ":" and depth == 1:
                keys.append(index - 1)
            if (text == "," and depth == 1) or depth == 0:
                ends.append(index - 1)
        members = {
            json.loads(tokens[key].text): _Member(key, key + 2, last)
            for key, last in zip(keys, ends, strict=False)
        }
        return cls(members, opening, index)


def _tokens(text: str) -> list[_Token]:
    """What the text is made of, without spaces and comments."""
    tokens, end = list[_Token](), 0
    while end < len(text):
        found = _TOKEN.match(text, end)
        if found is None:
            line = text.count("\n", 0, end) + 1
            raise ValueError(f"line {line} cannot be understood")
        if found["space"] is None:
            tokens.append(_Token(found[0], end, found.end()))
        end = found.end()
    return tokens


def _added(text: str, tokens: list[_Token], inside: _Inside, key: str, value: object) -> str:
    """The text with one more member at the end of an object, after comments that stand there."""
    opening, closing = tokens[inside.opening], tokens[inside.closing]
    last = tokens[inside.closing - 1]
    between = text[last.end : closing.start].rstrip()
    trailing = last.text == ","
    comma = "" if trailing or not inside.members else ","
    line = "\r\n" if "\r\n" in text else "\n"
    if inside.members and "\n" not in text[opening.start : closing.end]:
        new = f" {key}{json.dumps(value, ensure_ascii=False)}"
        return text[: last.end] + comma + between + new + text[closing.start :]
    outer = _indent(text, opening.start)
    indent = outer + _unit(text)
    for member in inside.members.values():
        first = tokens[member.key].start
        lead = text[text.rfind("\n", 0, first) + 1 : first]
        if lead.isspace():
            indent = lead
    new = (
        f"{line}{indent}{key}{_written(value, indent, text)}{',' if trailing else ''}{line}{outer}"
    )
    return text[: last.end] + comma + between + new + text[closing.start :]


def _written(value: object, indent: str, text: str) -> str:
    lines = json.dumps(value, indent=_unit(text), ensure_ascii=False).splitlines()
    return ("\r\n" if "\r\n" in text else "\n").join(
        [lines[0], *(indent + one for one in lines[1:])]
    )


def _indent(text: str, offset: int) -> str:
    """The space with which the line begins that something stands on."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """What one step of indentation is in this text; two spaces where it shows none."""
    found = re.search(r'\n([ \t]+)"', text)
    return found[1] if found else "  "
