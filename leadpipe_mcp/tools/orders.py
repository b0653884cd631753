"""What reads like an instruction to a model where only a name or a title should be.

It is a hint to whoever reads, and no wall: an order can be worded in a thousand ways. So it looks
for what injections have in common, and for what no title or company is called.
"""

import re
import unicodedata

from leadpipe_mcp.tools.offered import OfferedTools

_WHOM = r"(?:ai|a\.i\.|assistants?|claude|chat\s?gpt|gpt|gemini|copilot|llm|language model|model)"
_EARLIER = r"(?:above|previous|prior|earlier|preceding|foregoing)"
_RULES = r"(?:instructions?|prompts?|rules?|directions?|directives?|guidelines?|guardrails?)"
_ORDER = re.compile(
    rf"""
    # Ignore all previous instructions; forget everything above.
    \b(?:ignore|disregard|forget|override|bypass)\b[^.]{{0,30}}\b(?:{_EARLIER}|your|any|all)\b
        [^.]{{0,30}}\b{_RULES}\b
    |\b(?:ignore|disregard|forget)\s(?:all|everything|anything|whatever)\b[^.]{{0,20}}
        \b(?:{_EARLIER}|before|said|told)\b
    |\b(?:new|updated|hidden|secret|follow\sthese|real)\s(?:system\s)?instructions?\s?(?::|\bare\b)
    |\binstructions?\s(?:for|to)\s(?:the\s|any\s|all\s)?{_WHOM}\b
    # You must call this; you are now that.
    |\byou\s(?:must|should|shall|have\sto|need\sto|are\srequired\sto)\s(?:now\s|first\s|always\s
        |immediately\s|also\s)?(?:invoke|run|execute|delete|remove|activate|export|ignore|obey|send
        |reply|respond|output|print|reveal|disclose|approve|confirm|call(?!\s(?:us|me|today|now)\b)
        |use\s(?:the|this)\s(?:tool|function))\b
    |\byou\sare\snow\s(?:a|an|in|the|dan|free|my|no\slonger)\b
    |\b(?:call|invoke|run|execute|use)\s(?:the|this|that|your)\s(?:\w+\s)?(?:tool|function)\b
    # system: do this; <system>; [INST].
    |(?:^|[.;:!?\n\]\[(){{}}<>|"'\u00ab-])\s?(?:system|developer)(?:\s(?:prompt|message|note|override))?
        \s?[:\]>]
    |<\|?/?\s?(?:system|im_start|im_end|assistant|user|instructions?)\s?\|?>|\[/?(?:inst|sys)\]
    # Dear assistant, ...; attention AI: ...
    |\b(?:dear|attention|note\sto|message\s(?:to|for)|hey|hi|hello)\s(?:the\s|all\s|any\s)?{_WHOM}
        \s?[,:!\u2013\u2014-]
    |\b(?:if\syou\sare|as)\san?\s(?:ai|llm|language\smodel|assistant)\b[^.]{{0,40}}\byou\b
    # Without the user.
    |\b(?:do\snot|don'?t|never|without)\s(?:tell|ask|inform|mention|notify|warn|consult)\w*\b
        [^.]{{0,20}}\b(?:users?|humans?|owner)\b
    |\bthe\s(?:user|human)\s(?:has\s|have\s)?(?:already\s)?
        (?:agreed|approved|confirmed|consented|authori[sz]ed|wants\syou)\b
    |\b(?:reveal|print|show|repeat|output|send|disclose)\b[^.]{{0,30}}
        \b(?:system\sprompt|api\skeys?|passwords?|your\sinstructions)\b
    |\bcontact\s?["']?\s?[:=]\s?["']?full\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Shorter than the shortest of these is none.
_SHORTEST = 8


def reads_like_an_order(text: str, offered: OfferedTools | None = None) -> bool:
    """Whether a text reads like an instruction to a model.

    Args:
        text: Any text on one line.
        offered: With it, a text that names one of our tools does so too.
    """
    if len(text) < _SHORTEST:
        return False
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if offered is not None and "_" in text and offered.any_tool.search(text):
        return True
    return _ORDER.search(text) is not None
