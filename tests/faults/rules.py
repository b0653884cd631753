"""What a call may come to when its service fails: each rule gives its complaint, or nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Literal, cast

from leadpipe_mcp.toolkit.running import LOOKED
from tests.faults.cells import ADDRESS, FAULTS, Cell
from tests.faults.worlds import KEY, Json, Outcome, Unspoilt

Word = Literal["right", "looked", "part", "half", "said", "unclear"]
WORDS: Mapping[Word, str] = {
    "right": "the reply is the same as if nothing had gone wrong",
    "looked": "the answer to a change was lost; a look showed that it was made, and the reply says"
    " so",
    "part": "the reply lacks what could not be had, and says that it does",
    "half": "one of two steps was done; the reply says which, and what to do now",
    "said": "nothing was changed; the refusal says why, and what to do now",
    "unclear": "whether it was changed cannot be known; the refusal says so, and where to look",
}
MOST_SECONDS = 50.5
"""What a call has, and a little for this machine's own work."""
LONGEST_REFUSAL = 1_200
NEVER_SAID = re.compile(
    rf"{re.escape(ADDRESS)}|{re.escape(KEY)}|Traceback|httpx|pydantic|127\.0\.0\.1"
    r'|\w+://[^\s"\\]+|Error executing|failed inside',
    re.IGNORECASE,
)
# Of a call that takes a breath: the service was left alone for what it did before.
RESTING = re.compile(r"failed \d+ times in a row, so nothing was sent")
NEXT_STEP = re.compile(
    r"\b(try again|tried again|look (at|before|with)|check (the|LEADPIPE_|SONARLY_)|restart the"
    r" server|has to allow it|have to allow it|allow it to the key|change what it names|wait|the"
    r" next try makes sense|pause an active|ask (the user|leadpipe)|tell the user|see its status"
    r"|shows those that exist|shows the (audiences|accounts)|shows its latest run|finds the ids"
    r"|list_pixels shows)"
    r"(\b|(?<=_))",
    re.IGNORECASE,
)
UNCLEAR = re.compile(
    r"is unclear|is unknown|may still come|may be the|not confirmed|look before trying again",
    re.IGNORECASE,
)
HALF_DONE = re.compile(r"is saved, but|saved as a draft", re.IGNORECASE)
LEFT_OUT = re.compile(
    r"could not|failed|did not give|does not show|unknown|just now|a sample of"
    r"|not (be )?(measured|checked|shown|read|looked|reached|known)",
    re.IGNORECASE,
)
DECORATION: Mapping[str, tuple[str, ...]] = {
    "create_audience": ("slots", "slots.before", "slots.after"),
    "set_status": ("slots", "slots.before", "slots.after"),
    "get_audience": ("runs",),
}
"""What a reply may lack without a word, by tool."""
OTHER_SOURCE: Mapping[str, str] = {
    "search_topics": "topics",
    "query_audience": "people",
    # The id of a folder stands where its name would.
    "sonarly_list_audiences": "audiences.folder",
}
"""What may come from elsewhere, where the reply says that the usual source failed."""
EMPTY = {("query_visitor_data", "404")}
"""Where a 404 means, as one who knows the API reports, that there is nothing to be found."""


def complaints(cell: Cell, plain: Unspoilt, outcome: Outcome) -> list[str]:
    """What is wrong with the outcome of a cell; nothing, if all is as it should be."""
    wrong = wrong_refusal if outcome.is_refusal else wrong_reply
    found = [*wrong(cell, plain, outcome), *wrong_state(plain, outcome)]
    # No service may keep a call for longer than clients wait.
    if outcome.seconds > MOST_SECONDS:
        found.append(f"it took {outcome.seconds:.2f} s")
    # No key, address or insides in anything that is said, but the links that belong to a reply.
    if leaks := {*NEVER_SAID.findall(outcome.text)} - {*NEVER_SAID.findall(plain.outcome.text)}:
        found.append(f"it says {', '.join(sorted(leaks))}")
    return found


def wrong_refusal(cell: Cell, plain: Unspoilt, outcome: Outcome) -> Iterator[str]:
    """A refusal says what went wrong, and ends with what to do; it is short, and doubts rightly."""
    cause = FAULTS[cell.fault][1]
    if not (re.search(cause, outcome.text) or RESTING.search(outcome.text)):
        yield f"it does not name the cause ({cause})"
    sentences = re.split(r"(?<=[.?!])\s+", outcome.text.strip())
    if not NEXT_STEP.search(" ".join(sentences[-2:])):
        yield "it ends with no next step"
    if len(outcome.text) >= LONGEST_REFUSAL:
        yield "it is too long"
    if UNCLEAR.search(outcome.text) and not outcome.may_have_written:
        yield "it doubts, though nothing was sent that changes anything"


def wrong_reply(cell: Cell, plain: Unspoilt, outcome: Outcome) -> Iterator[str]:
    """A reply is as it would have been, or says what it lacks; what it does hold is right."""
    expected, reply, tool = plain.outcome.reply, outcome.reply, cell.row.tool
    if is_half(plain, outcome) or ((tool, cell.fault) in EMPTY and reply.get("size") == 0):
        return
    said = any(LEFT_OUT.search(text) for text in _told(reply) if text not in _told(expected))
    other = OTHER_SOURCE.get(tool) if said else None
    differing = {
        where: is_missing
        for where, is_missing in differences(_facts(expected), _facts(reply))
        if not (other and where.startswith(other))
    }
    lacking = [where for where in differing if where not in DECORATION.get(tool, ())]
    if wrong := [where for where, is_missing in differing.items() if not is_missing]:
        yield f"these are not what they should be: {', '.join(wrong)}"
    elif lacking and not said:
        yield f"these are missing, and it does not say so: {', '.join(lacking)}"


def wrong_state(plain: Unspoilt, outcome: Outcome) -> Iterator[str]:
    """What is there afterwards is what is said: done once, not done, or not known."""
    if outcome.state == plain.outcome.state:
        changed = plain.before != outcome.state
        if changed and outcome.is_refusal and not UNCLEAR.search(outcome.text):
            yield "it was done, and the refusal does not say so"
    elif outcome.state == plain.before:
        if not outcome.is_refusal:
            yield "it says done, and nothing was"
    elif not is_half(plain, outcome):
        yield "what is there is neither what was nor what should be"
    elif not HALF_DONE.search(outcome.text):
        yield "it does not say what is half done"


def is_half(plain: Unspoilt, outcome: Outcome) -> bool:
    """Whether just the first of two steps was done."""
    return plain.half is not None and outcome.state == plain.half


def word(plain: Unspoilt, outcome: Outcome) -> Word:
    """The outcome in a word."""
    if is_half(plain, outcome):
        return "half"
    if outcome.is_refusal:
        return "unclear" if UNCLEAR.search(outcome.text) else "said"
    if LOOKED in _told(outcome.reply):
        return "looked"
    same = _facts(plain.outcome.reply) == _facts(outcome.reply)
    return "right" if same else "part"


def differences(expected: object, got: object, where: str = "") -> Iterator[tuple[str, bool]]:
    """Where two replies differ, and whether there it is only that something is missing."""
    if isinstance(expected, dict) and isinstance(got, dict):
        wanted, had = by_column(cast("Json", expected)), by_column(cast("Json", got))
        for key in {**wanted, **had}:
            place = f"{where}.{key}".lstrip(".")
            if key in wanted and key in had:
                yield from differences(wanted[key], had[key], place)
            else:
                yield place, key in wanted
    elif isinstance(expected, list) and isinstance(got, list):
        whole, part = cast("list[object]", expected), cast("list[object]", got)
        if whole != part:
            yield where, all(item in ("", *whole) for item in part)
    elif expected != got:
        yield where, False


def by_column(part: Json) -> Json:
    """A table as its columns, so that one that is missing is seen to be; all else as it is."""
    if set(part) != {"columns", "rows"}:
        return part
    columns = zip(*cast("list[list[object]]", part["rows"]), strict=True)
    return dict(zip(part["columns"], (list(cells) for cells in columns), strict=True))


def _facts(reply: Json) -> Json:
    """The reply without what is said about it."""
    about = ("summary", "warnings", "next", "notMeasured")
    return {key: value for key, value in reply.items() if key not in about}


def _told(reply: Json) -> list[str]:
    """The sentences of a reply about itself."""
    missing = [f"Not measured: {what}" for what in cast("list[str]", reply.get("notMeasured", []))]
    return [str(reply.get("summary", "")), *cast("list[str]", reply.get("warnings", [])), *missing]
