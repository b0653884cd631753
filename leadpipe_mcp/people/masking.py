"""Masks e-mail addresses and phone numbers anywhere in a text, in any disguise.

When in doubt, mask: one word too many does less harm than an address that gets out.
"""

import html
import re

from leadpipe_mcp.text import visible

HIDDEN = "•••"
LONGEST_ADDRESS = 320

# The sign of an address: itself, encoded for the web or for JSON, or in words.
_OPEN, _CLOSE = r"[(\[{<\uff08\uff3b\u3010]", r"[)\]}>\uff09\uff3d\u3011]"
_AT = re.compile(
    r"([@\uff20\ufe6b](?:\s?[@\uff20\ufe6b])*|%(?:25){0,3}40|\\u0040|\\x40"
    rf"|\s?{_OPEN}\s?(?:at|a|\u00e4t|arroba|@)\s?{_CLOSE}\s?)",
    re.IGNORECASE,
)
_SIGNS = "@\uff20\ufe6b"
# Every text that matches the above matches one of these two, which fail faster.
_AT_HINT = re.compile(r"[@\uff20\ufe6b%\\&]")
_WORDS_HINT = re.compile(rf"{_OPEN}\s?[aAdD.\u00e4\u00c4]")
_DOT_IN_WORDS = re.compile(rf"\s?{_OPEN}\s?(?:dot|\.)\s?{_CLOSE}\s?|\sdot\s", re.IGNORECASE)
_AT_IN_WORDS = re.compile(r"\sat\s(?=[\w-]{1,63}\.[\w-])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\w|\w{2,8};)")
_MARKUP = re.compile(
    r"</?(?!(?:at?|dot)>)[A-Za-z]\w{0,10}(?:\s+[\w:-]+=[^<>@%&()\[\]{}\\]{0,200})?\s?/?>"
    r"|<!--[^<>@%&()\[\]{}\\]{0,200}-->"
)

_DOTS = r".\uff0e\u3002\uff61\u2024"
_HOST = re.compile(rf"[\w\-\u0300-\u036f{_DOTS}]+|\[[\w.:]{{1,60}}\]")
_DOTTED_HOST = re.compile(
    rf"[\s*_~`\"'<(\[]{{0,3}}[\w-]+(?:[{_DOTS}]|%2e)[\w-]{{2}}", re.IGNORECASE
)
# From the sign backward: a few blanks and closing marks, then everything but list separators.
_NAME_BACKWARD = re.compile(r"[\s)\]}>\"'*_~`]{0,3}[^\s,;:]+")
# jane:secret@ in the address of a page.
_LOGIN_BACKWARD = re.compile(r"[^\s/?#&=]+(?=//)")
# What separates an address from the next one: something, but nothing that a name may contain.
_APART = re.compile(r"(?=[\s,;:|/&'\"<>()\[\]{}])[\s)\]}>\"'*_~`]*[^\s)\]}>\"'*_~`]")
_QUOTES = {'"': '"', "\u201d": "\u201c"}
_WRAPPING = re.compile(r"[(\[{<\"'\u2018\u2019\u201c\u201d*_~`/|&=?#.!-]*")
_PAGE = re.compile(r"//|www\.|linkedin\.com/", re.IGNORECASE)
_MASKED = re.compile(rf"(\w?{HIDDEN}@[\w\-\u0300-\u036f{_DOTS}\[\]]+)")
_WORDS = re.compile(r"\w.*\w|\w")

_GAP = r"\s().\-/\u00b7\u2010-\u2015\u2212"
_SEVEN_USUAL_DIGITS = re.compile(r"[0-9](?:[^0-9]{0,3}[0-9]){6}")
_SEVEN_DIGITS = re.compile(r"\d(?:\D{0,3}\d){6}")
_LETTER = re.compile(r"[^\W\d_]")
_INTERNATIONAL = re.compile(
    rf"(?<!\+)(?:[+\uff0b]|%2b)[\s(]{{0,2}}\d(?:[{_GAP}]{{0,3}}\d)*", re.IGNORECASE
)
_AMERICAN = re.compile(
    r"(?<![\w.-])(?:1[\s.-]{1,2})?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4}(?![\d-])"
)
_NUMBER = re.compile(rf"(?<![\w$€£.,/-])\(?\d(?:[{_GAP}]{{0,2}}\d){{9,}}")
_ROUND = ("00000", "99999")
_YEARS = re.compile(r"(?:(?:19|20)\d\d(?:[-/.]\d\d?){0,2}(?:\W{1,3}|$))+\d{0,2}")
_EXTENSION = re.compile(r"[\s;,(]*(?:extension|ext|x|#)[\s.:=]*\d{1,6}[\s)]*$", re.IGNORECASE)
_IN_AMERICA = re.compile(r"\D*[+\uff0b]\s?[1\uff11]")
_BETWEEN_NUMBERS = re.compile(r"\s*[,;|]\s*(?!ext)", re.IGNORECASE)
_VISIBLE_DIGITS = 4
# No sign of an address, no opening bracket, and too few digits for a phone number.
_REST = r"[ !\"#$')*+,\-./:;=>?A-Z\]^_`a-z|}~]*"
_HARMLESS = re.compile(rf"{_REST}(?:[0-9]{_REST}){{0,6}}")
_HASH = re.compile(r"[0-9a-f]{32,128}")
# The usual forms, which need no long look.
_USUAL_EMAIL = re.compile(r"([A-Za-z0-9])[A-Za-z0-9._+-]{0,99}@([A-Za-z0-9.-]{1,99})")
_USUAL_PHONE = re.compile(r"(?:(\+1)|\+)?[0-9]{3,11}([0-9]{4})")
_FEWEST_DIGITS = 7


def mask_contacts(text: str) -> str:
    """Mask e-mail addresses, and what looks like a phone number, in any text."""
    if is_harmless(text):
        return text
    # Before, because what masking an address removes may have separated a number from a word;
    # after, because an entity may have been the number's plus.
    return mask_phones(mask_emails(mask_phones(text)))


def is_harmless(text: str) -> bool:
    """Return whether a text plainly contains neither, as most do; False: it may."""
    if _HARMLESS.fullmatch(text):
        return " dot " not in text.lower()
    return bool(_HASH.fullmatch(text))


def mask_emails(text: str) -> str:
    """Cut each e-mail address in a text to its first letter and its domain."""
    if not (_AT_HINT.search(text) or _WORDS_HINT.search(text) or " dot " in text.lower()):
        return text
    pieces = _AT.split(_unspelled(visible(text, joiners=True)))
    return _without_names(pieces) or text


def only_masked_emails(text: str) -> str:
    """Mask a text that should hold only addresses; everything else in it is hidden."""
    usual = [_USUAL_EMAIL.fullmatch(part) for part in text.split(", ")]
    if all(usual):
        return ", ".join([f"{found[1]}{HIDDEN}@{found[2]}" for found in usual if found])
    parts = _MASKED.split(mask_emails(text))
    parts[::2] = [_WORDS.sub(HIDDEN, part) for part in parts[::2]]
    return "".join(parts)


def mask_phones(text: str) -> str:
    """Cut what looks like a phone number to its last digits.

    Ten or more digits in a row count as one only among words: alone they may be an id.
    """
    hint = _SEVEN_USUAL_DIGITS if text.isascii() else _SEVEN_DIGITS
    if not hint.search(text):
        return text
    text = _INTERNATIONAL.sub(_international, text)
    text = _AMERICAN.sub(lambda found: mask_phone(found[0]), text)
    if " " in text and _LETTER.search(text):
        text = _NUMBER.sub(_number, text)
    return text


def mask_phone(number: str) -> str:
    """Return a phone number's country, if it is +1, and its last four digits."""
    digits = re.sub(r"\D", "", _EXTENSION.sub("", number[-LONGEST_ADDRESS:]))
    shown = digits[-_VISIBLE_DIGITS:] if len(digits) >= _FEWEST_DIGITS else ""
    return f"{'+1' if _IN_AMERICA.match(number[:LONGEST_ADDRESS]) else ''}{HIDDEN}{shown}"


def only_masked_phones(text: str) -> str:
    """Mask a text that should hold only phone numbers."""
    usual = _USUAL_PHONE.fullmatch(text)
    if usual:
        return f"{usual[1] or ''}{HIDDEN}{usual[2]}"
    return ", ".join(mask_phone(number) for number in _BETWEEN_NUMBERS.split(text) if number)


def _unspelled(text: str) -> str:
    """Decode the signs of an address that are encoded or written as words."""
    # An entity may be the beginning of another.
    for _ in range(3):
        if not _ENTITY.search(text):
            break
        text = visible(html.unescape(text), joiners=True)
    text = _MARKUP.sub("", text)
    dotted = _DOT_IN_WORDS.sub(".", text)
    return text if dotted == text else _AT_IN_WORDS.sub("@", dotted)


def _without_names(pieces: list[str]) -> str:
    """Mask a text given as pieces with the signs between them; empty if there is no address."""
    done: list[str] = []
    left, after_host, found = pieces[0], 0, False
    for sign, right in zip(pieces[1::2], pieces[2::2], strict=True):
        host = _end_of_host(left, sign, right)
        goes_on = host > 0 and after_host > 0 and not _APART.match(left, after_host)
        name = None if goes_on or not host else _name(left, after_host)
        if name is not None:
            done.append(f"{name}{HIDDEN}@")
            found = True
        # jane@secret@acme.com: what looked like the host is part of the name.
        elif not goes_on:
            done.append(left + sign)
            left, after_host = right, 0
            continue
        left = right.lstrip()
        after_host = host - len(right) + len(left)
    return "".join([*done, left]) if found else ""


def _end_of_host(left: str, sign: str, right: str) -> int:
    """Return where the host to the right of a sign ends; 0 if there is none."""
    if sign[0] in _SIGNS and sign[-1] in _SIGNS and not left[-1:].isspace():
        close = _HOST.match(right)
        if close:
            return close.end()
    far = _DOTTED_HOST.match(right)
    if not far:
        return 0
    rest = _HOST.match(right, far.end())
    return rest.end() if rest else far.end()


def _name(left: str, after: int) -> str | None:
    """Return the text to the left of a sign up to the name's first letter; None without a name."""
    begin = max(after, len(left) - LONGEST_ADDRESS)
    tail = left[begin:]
    at = _start_of_name(tail)
    name = tail[at:]
    if _PAGE.search(name):
        at += 1 + max(name[:-1].rfind(mark) for mark in "/?=&#")
        name = tail[at:]
    letter = next((character for character in name if character.isalnum()), "")
    if not letter and not name.strip():
        return None
    wrapping = _WRAPPING.match(name)
    return f"{left[:begin]}{tail[:at]}{wrapping[0] if wrapping else ''}{letter}"


def _start_of_name(tail: str) -> int:
    """Return where the name at the end of a text begins."""
    opening = _QUOTES.get(tail[-1:])
    start = tail.rfind(opening, 0, -1) if opening else -1
    while start > 0 and tail[start - 1] == "\\":
        start = tail.rfind(opening or "", 0, start)
    if start >= 0:
        return start
    backward = _LOGIN_BACKWARD.match(tail[::-1]) or _NAME_BACKWARD.match(tail[::-1])
    return len(tail) - backward.end() if backward else len(tail)


def _international(found: re.Match[str]) -> str:
    number = re.sub("%2b", "+", found[0], flags=re.IGNORECASE)
    digits = sum(character.isdigit() for character in number)
    return mask_phone(number) if digits >= _FEWEST_DIGITS else found[0]


def _number(found: re.Match[str]) -> str:
    number = found[0]
    follows = found.string[found.end() : found.end() + 1]
    if follows.isalpha() or follows in set("%_") or number.endswith(_ROUND):
        return number
    return number if _YEARS.fullmatch(number) else mask_phone(number)
