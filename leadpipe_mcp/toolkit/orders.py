"""What reads like an instruction to a model where only a name or a title should be.

It is a hint to whoever reads, and no wall: an order can be worded in a thousand ways. So it looks
for what injections have in common, and for what no title or company is called.
"""

import re
import unicodedata
from collections.abc import Iterable

from leadpipe_mcp.toolkit.offered import OfferedTools

_WHOM = r"(?:ai|a\.i\.|assistants?|claude|chat\s?gpt|gpt|gemini|copilot|llm|language model|model)"
_EARLIER = r"(?:above|previous|prior|earlier|preceding|foregoing)"
_RULES = r"(?:instructions?|prompts?|rules?|directions?|directives?|guidelines?|guardrails?)"
_USUAL = re.VERBOSE | re.IGNORECASE
# Each kind of order, with the words without which it is none: they are found much faster.
_ORDERS = tuple(
    (signs.split("|"), re.compile(pattern, _USUAL))
    for signs, pattern in (
        # Ignore all previous instructions; forget everything above.
        (
            "ignore|disregard|forget|override|bypass",
            rf"""\b(?:ignore|disregard|forget|override|bypass)\b[^.]{{0,30}}
                \b(?:{_EARLIER}|your|any|all)\b[^.]{{0,30}}\b{_RULES}\b
            |\b(?:ignore|disregard|forget)\s(?:all|everything|anything|whatever)\b[^.]{{0,20}}
                \b(?:{_EARLIER}|before|said|told)\b""",
        ),
        (
            "instruction",
            rf"""\b(?:new|updated|hidden|secret|follow\sthese|real)\s(?:system\s)?instructions?
                \s?(?::|\bare\b)
            |\binstructions?\s(?:for|to)\s(?:the\s|any\s|all\s)?{_WHOM}\b""",
        ),
        # You must call this; you are now that.
        (
            "you",
            r"""\byou\s(?:must|should|shall|have\sto|need\sto|are\srequired\sto)\s(?:now\s|first\s
                |always\s|immediately\s|also\s)?(?:invoke|run|execute|delete|remove|activate|export
                |ignore|obey|send|reply|respond|output|print|reveal|disclose|approve|confirm
                |call(?!\s(?:us|me|today|now)\b)|use\s(?:the|this)\s(?:tool|function))\b
            |\byou\sare\snow\s(?:a|an|in|the|dan|free|my|no\slonger)\b
            |\b(?:if\syou\sare|as)\san?\s(?:ai|llm|language\smodel|assistant)\b[^.]{0,40}\byou\b""",
        ),
        (
            "tool|function",
            r"\b(?:call|invoke|run|execute|use)\s(?:the|this|that|your)\s(?:\w+\s)?(?:tool|function)\b",
        ),
        # system: do this; <system>; [INST].
        (
            "system|developer",
            r"""(?:^|[.;:!?\n\]\[(){}<>|"'\u00ab-])\s?(?:system|developer)
                (?:\s(?:prompt|message|note|override))?\s?[:\]>]""",
        ),
        (
            "<|[",
            r"""<\|?/?\s?(?:system|im_start|im_end|assistant|user|instructions?)\s?\|?>
            |\[/?(?:inst|sys)\]""",
        ),
        # Dear assistant, ...; attention AI: ...
        (
            "dear|attention|note to|message|hey|hi|hello",
            rf"""\b(?:dear|attention|note\sto|message\s(?:to|for)|hey|hi|hello)
                \s(?:the\s|all\s|any\s)?{_WHOM}\s?[,:!\u2013\u2014-]""",
        ),
        # Without the user.
        (
            "user|human|owner",
            r"""\b(?:do\snot|don'?t|never|without)\s(?:tell|ask|inform|mention|notify|warn|consult)\w*
                \b[^.]{0,20}\b(?:users?|humans?|owner)\b
            |\bthe\s(?:user|human)\s(?:has\s|have\s)?(?:already\s)?
                (?:agreed|approved|confirmed|consented|authori[sz]ed|wants\syou)\b""",
        ),
        (
            "prompt|key|password|instructions",
            r"""\b(?:reveal|print|show|repeat|output|send|disclose)\b[^.]{0,30}
                \b(?:system\sprompt|api\skeys?|passwords?|your\sinstructions)\b""",
        ),
        ("contact", r"""\bcontact\s?["']?\s?[:=]\s?["']?full\b"""),
    )
)
# Shorter than the shortest of these is none.
_SHORTEST = 8


def reads_like_an_order(text: str) -> bool:
    """Whether a text on one line reads like an instruction to a model."""
    return bool(orders_among([("", text)]))


def orders_among(
    texts: Iterable[tuple[str, str]], offered: OfferedTools | None = None
) -> list[str]:
    """Return where something reads like an instruction to a model.

    Args:
        texts: Any texts, each on one line and with the place where it is.
        offered: With it, a text that names one of our tools does so too.
    """
    placed = [(place, _plain(text)) for place, text in texts if len(text) >= _SHORTEST]
    everything = "\n".join(text for _, text in placed).lower()
    patterns = [pattern for signs, pattern in _ORDERS if any(sign in everything for sign in signs)]
    names = offered.any_tool if offered else None
    return [
        place
        for place, text in placed
        if any(found.search(text) for found in patterns)
        or (names and "_" in text and names.search(text))
    ]


def _plain(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)
