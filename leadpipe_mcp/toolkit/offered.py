"""Which tools a server offers, and what it says without naming any other."""

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar, cast

S = TypeVar("S")

# Names of audiences, topics and the like stand in quotation marks: what they say is data.
_QUOTED = re.compile(r"(?<!\w)'.*?'(?!\w)|«.*?»", re.DOTALL)
_PARENTHESIS = re.compile(r"\s*\([^()]*\)")
_SENTENCE_END = re.compile(r"(?<=[.!?])(?=\s)")
_CLAUSE_END = re.compile(r"(?<=[;:])(?=\s)|(?=,\s+or\s)")
_BLOCK = re.compile(r"\n(?=\d+\. |\n)")
_STEP = re.compile(r"\d+\. ")
_JOINT = re.compile(r"^[,;:\s]*(?:or\s+)?")


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
        if self._lacking is None or not self._lacking.search(text):
            return text
        lacking = self._lacking
        # The same text without what is data, and then without what is in parentheses: a name, a
        # stop or a colon counts only where it is seen in these.
        seen = _blanked(_QUOTED, text)
        for inside in reversed(list(_PARENTHESIS.finditer(seen))):
            if lacking.search(inside[0]):
                start, end = inside.span()
                text, seen = text[:start] + text[end:], seen[:start] + seen[end:]
        seen = _blanked(_PARENTHESIS, seen)
        kept = ""
        blank: str | None = None
        for sentence, seen_sentence in _split(_SENTENCE_END, text, seen):
            clauses = _split(_CLAUSE_END, sentence, seen_sentence)
            fitting = [clause for clause, seen_clause in clauses if not lacking.search(seen_clause)]
            words = sentence if len(fitting) == len(clauses) else _shortened(sentence, fitting)
            # What follows a sentence that is left out begins where that one began.
            blank = _blank_before(sentence) if blank is None else blank
            if words.strip():
                kept += blank + words.lstrip()
                blank = None
        return kept

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
        if isinstance(schema, list):
            return cast("S", [self.fit_schema(part) for part in cast("list[object]", schema)])
        if not isinstance(schema, dict):
            return schema
        parts = cast("dict[str, object]", schema)
        fitted = {
            key: self.fit(part)
            if key == "description" and isinstance(part, str)
            else self.fit_schema(part)
            for key, part in parts.items()
        }
        return cast("S", fitted)


def _blanked(what: re.Pattern[str], text: str) -> str:
    """The text, as long as it was, with nothing to read where the pattern matches."""
    return what.sub(lambda found: "~" * len(found[0]), text)


def _split(boundary: re.Pattern[str], text: str, seen: str) -> list[tuple[str, str]]:
    """Both texts, cut at the same places."""
    inner = [found.start() for found in boundary.finditer(seen)]
    places = zip([0, *inner], [*inner, len(seen)], strict=True)
    return [(text[start:end], seen[start:end]) for start, end in places]


def _blank_before(sentence: str) -> str:
    return sentence[: len(sentence) - len(sentence.lstrip())]


def _shortened(sentence: str, clauses: Sequence[str]) -> str:
    """The sentence made of these of its clauses alone; an empty text if there are none."""
    said = _JOINT.sub("", "".join(clauses), count=1).rstrip(",;: .!?")
    if not said:
        return ""
    # Names of tools and arguments keep their small letter.
    first = said if re.match(r"\w+(?:[A-Z]|_)|`", said) else said[0].upper() + said[1:]
    mark = sentence[-1] if sentence[-1] in ".!?" else ""
    return f"{first}{mark}"
