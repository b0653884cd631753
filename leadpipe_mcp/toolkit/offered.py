"""Which tools a server offers, and what it says without naming any other."""

import json
import re
from collections.abc import Iterable
from typing import TypeVar

S = TypeVar("S")

# Names of audiences, topics and the like stand in quotation marks: what they say is data.
_QUOTED = re.compile(r"(?<!\w)'.*?'(?!\w)|«.*?»", re.DOTALL)
_PARENTHESIS = re.compile(r"\s*\([^()]*\)")
_SENTENCE_END = re.compile(r"(?<=[.!?])(?=\s)")
_CLAUSE_END = re.compile(r"(?<=[;:])(?=\s)|(?=,\s+or\s)")
_BLOCK = re.compile(r"\n(?=\d+\. |\n)")
_STEP = re.compile(r"\d+\. ")
_JOINT = re.compile(r"^[,;:\s]*(?:or\s+)?")
# Names of tools and arguments keep their small letter at the beginning of a sentence.
_NAME = re.compile(r"\w+(?:[A-Z]|_)|`")
_PRIVATE = 0xF0000
"""The first character that no text has: one for each part of a text that is set aside."""


class OfferedTools:
    """The tools that a server offers, of all that there are.

    A server may lack some: by toolset, or because it only reads. Whatever it says goes through
    `fit`, so that no client is sent to a tool which it cannot call.
    """

    def __init__(self, names: Iterable[str], of: Iterable[str]) -> None:
        self.names = frozenset(names)
        every = frozenset(of)
        self.any_tool = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(every))})(?!\w)", re.IGNORECASE)
        """Finds the name of any tool that there is, offered or not."""
        lacking = "|".join(sorted(every - self.names))
        self._lacking = re.compile(rf"(?<![\w/])(?:{lacking})(?!\w)") if lacking else None

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def fit(self, text: str) -> str:
        """Leave out each clause that names a tool which is not offered; the rest stays as it is."""
        lacking = self._lacking
        if lacking is None or not lacking.search(text):
            return text
        # What is data, and then what is in parentheses, is one character meanwhile: a name, a stop
        # or a colon in it does not count.
        aside: dict[int, str] = {}

        def set_aside(found: re.Match[str]) -> str:
            aside[_PRIVATE + len(aside)] = found[0]
            return chr(_PRIVATE + len(aside) - 1)

        text = _QUOTED.sub(set_aside, text)
        text = _PARENTHESIS.sub(lambda p: "" if lacking.search(p[0]) else set_aside(p), text)
        kept = ""
        blank: str | None = None
        for sentence in _SENTENCE_END.split(text):
            clauses = _CLAUSE_END.split(sentence)
            fitting = [clause for clause in clauses if not lacking.search(clause)]
            said = sentence.lstrip()
            # What follows a sentence that is left out begins where that one began.
            blank = sentence[: len(sentence) - len(said)] if blank is None else blank
            if len(fitting) < len(clauses):
                said = _JOINT.sub("", "".join(fitting)).rstrip(",;: .!?")
                said = said if _NAME.match(said) else said[:1].upper() + said[1:]
                said += sentence[-1] if said and sentence[-1] in ".!?" else ""
            if said:
                kept += f"{blank}{said}"
                blank = None
        return kept.translate(aside).translate(aside)

    def fit_page(self, page: str) -> str:
        """Fit a page block by block; a numbered step that begins with such a tool goes whole."""
        blocks: list[str] = []
        number = 0
        for block in _BLOCK.split(page):
            step = _STEP.match(block)
            words = block[step.end() :] if step else block
            fitted = self.fit(words)
            first = _CLAUSE_END.split(words)[0]
            if step and self.fit(first) == first:
                number += 1
                blocks.append(f"{number}. {fitted}")
            elif not step and (fitted or not block):
                blocks.append(fitted)
        return "\n".join(blocks).rstrip() + page[len(page.rstrip()) :]

    def fit_schema(self, schema: S) -> S:
        """Fit every description in a JSON schema."""
        if self._lacking is None:
            return schema

        def fitted(part: dict[str, object]) -> dict[str, object]:
            words = part.get("description")
            return {**part, "description": self.fit(words)} if isinstance(words, str) else part

        return json.loads(json.dumps(schema), object_hook=fitted)
