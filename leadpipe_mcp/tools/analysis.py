"""analyze_audience: questions about everyone in an audience, answered without listing them."""

from pydantic import Field, JsonValue, model_validator

from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people import profile
from leadpipe_mcp.people.runs import RunRef
from leadpipe_mcp.people.sql import Rows, ask
from leadpipe_mcp.text import clean, counted
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools import arguments, replies
from leadpipe_mcp.tools.arguments import AudienceId, ManyOf, ObjectOf, StrictInt
from leadpipe_mcp.tools.replies import Part, Table, people, suggest, warnings
from leadpipe_mcp.tools.services import Call

LONGEST_SQL = 4_000
MOST_GROUPS = 200
# What a reply shows of a profile, and under which name.
_TOLD = {
    "seniority": "seniorities",
    "department": "departments",
    "companyIndustry": "industries",
    "companySize": "companySizes",
    "state": "states",
    "company": "companies",
    "topic": "topics",
}
_FILLED = (
    *("businessEmail", "personalEmail", "phone", "directNumbers", "mobilePhones", "personalPhones"),
    *("linkedinUrl", "jobTitle", "company", "state"),
)


class OtherAudience(Arguments):
    audience_id: AudienceId | None = Field(default=None, description="Default: the same audience.")
    date: arguments.Day = None
    run_id: arguments.RunId = None

    @model_validator(mode="after")
    def _another(self) -> "OtherAudience":
        if not (self.audience_id or self.date or self.run_id):
            raise ValueError("compareWith needs an audienceId, a date or a runId.")
        return self


class AnalyzeAudience(Arguments):
    audience_id: AudienceId = Field(description="A saved audience.")
    date: arguments.Day = None
    run_id: arguments.RunId = None
    group_by: ManyOf[str] | None = Field(
        default=None,
        min_length=1,
        max_length=3,
        description="Count by 1 to 3 columns, such as [companyIndustry, seniority].",
    )
    top: StrictInt = Field(
        default=20, ge=1, le=MOST_GROUPS, description="Maximum number of groups (1-200)."
    )
    sql: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_SQL,
        description="One SELECT (SQLite) over the table people, whose columns are the fields of"
        " query_audience: SELECT company, count(*) FROM people GROUP BY 1. At most 200 rows.",
    )
    compare_with: ObjectOf[OtherAudience] | None = Field(
        default=None, description="Another audience, day or run: who is in both, or only in one."
    )

    @model_validator(mode="after")
    def _one_question(self) -> "AnalyzeAudience":
        asked = [self.group_by, self.sql, self.compare_with]
        if sum(part is not None for part in asked) > 1:
            raise ValueError("groupBy, sql and compareWith exclude each other: pass one at a time.")
        return self


class ScorePart(Part):
    average: float
    people: dict[str, int] = Field(description="People per ten-point score band.")


class ComparedPart(Part):
    size: int
    average_score: float | None = None
    seniorities: dict[str, int] | None = None
    industries: dict[str, int] | None = None
    states: dict[str, int] | None = None


class Analysis(Reply):
    size: int
    data_date: str | None = None
    run: replies.RunPart | None = None
    scores: ScorePart | None = None
    filled: dict[str, float] | None = Field(default=None, description="Percent with each field.")
    breakdowns: dict[str, dict[str, int]] | None = None
    table: Table | None = None
    both: ComparedPart | None = None
    only_here: ComparedPart | None = None
    only_there: ComparedPart | None = None


@tool("Analyze an audience", reads=True)
async def analyze_audience(call: Call, asked: AnalyzeAudience) -> Analysis:
    """Answer questions about everyone in a saved audience at once, without listing them.

    By default it gives the profile: seniorities, industries, sizes, states, companies, scores, and
    how many have each kind of e-mail and phone. groupBy counts, sql asks anything (contact columns
    are masked), compareWith shows who is new or gone against another day or audience. People are
    fetched once per run; further questions are immediate. For individuals use query_audience.
    """
    runs = call.services.runs
    here = RunRef(asked.audience_id, asked.date, asked.run_id)
    run, snapshot = await runs.load(call.leadpipe, here, call.progress)
    day, everyone = run.data_date, people(snapshot.size)
    reply = Analysis(summary=replies.data_from(day), size=snapshot.size, data_date=day)
    if asked.group_by:
        groups = await profile.group(snapshot, asked.group_by, asked.top)
        more = f" of {len(groups.rows) + groups.others:,}" if groups.others else ""
        rest = f"; the others are {people(groups.other_people)}" if groups.other_people else ""
        _show_rows(reply, groups)
        found = f"{counted(len(groups.rows), 'group')}{more}, over {everyone}{rest}"
    elif asked.sql is not None:
        answer = await ask(snapshot, asked.sql, call.services.sql)
        _show_rows(reply, answer)
        found = f"{counted(len(answer.rows), 'row')}, over {everyone}"
    else:
        reply.run = replies.RunPart.of(run)
        if other := asked.compare_with:
            ref = RunRef(other.audience_id or asked.audience_id, other.date, other.run_id)
            other_run, there = await runs.load(call.leadpipe, ref, call.progress)
            if there.folder == snapshot.folder:
                raise NotPossible(
                    f"Both sides are the same list ({replies.day(day)}), so there is nothing to"
                    " compare.",
                    "Name another date or runId (get_audience lists them), or another audienceId.",
                )
            _show_comparison(reply, await profile.compare(snapshot, there), other_run)
            return reply
        found = _show_profile(reply, await profile.profile(snapshot), asked.audience_id)
    reply.summary = f"{found}, {reply.summary}"
    return reply


def _show_profile(reply: Analysis, told: profile.Profile, audience_id: str) -> str:
    """Add the profile to the reply, and return what the summary begins with."""
    if told.average_score is not None:
        reply.scores = ScorePart(average=told.average_score, people=_counts(told.scores))
    reply.filled = {name: told.filled[name] for name in _FILLED if name in told.filled}
    reply.breakdowns = {_TOLD[name]: _counts(found) for name, found in told.breakdowns.items()}
    reply.warnings = [*told.notes]
    if told.size:
        why = "count by any columns; further questions about this run are immediate"
        by: list[JsonValue] = ["companyIndustry", "seniority"]
        reply.next = [suggest("analyze_audience", why, audienceId=audience_id, groupBy=by)]
    also = f" at {counted(told.companies, 'company', 'companies')}" if told.companies else ""
    email = told.filled.get("businessEmail")
    contact = f", {email:.0f}% with a business e-mail" if email else ""
    return f"{people(told.size).capitalize()}{also}{contact}"


def _show_rows(reply: Analysis, found: profile.Groups | Rows) -> None:
    shown = replies.fitting([list(row) for row in found.rows])
    cut = len(found.rows) - len(shown)
    reply.table = replies.table_of(found.columns, shown)
    reply.warnings = warnings(found.notes, f"{counted(cut, 'row')} did not fit." if cut else None)


def _show_comparison(reply: Analysis, told: profile.Comparison, there: Run) -> None:
    both, new, gone = told.both.people, told.only_one.people, told.only_other.people
    kept = f" ({100 * both / reply.size:.0f}%)" if reply.size else ""
    reply.summary = (
        f"Of {people(reply.size)} ({replies.day(reply.data_date)}), {both:,}{kept} are also in the"
        f" other list ({replies.day(there.data_date)}); {new:,} only in this one, {gone:,} only in"
        " the other."
    )
    reply.both, reply.only_here = _part(told.both), _part(told.only_one)
    reply.only_there, reply.warnings = _part(told.only_other), [*told.notes]


def _part(told: profile.Segment) -> ComparedPart:
    top = {name: _counts(counts) for name, counts in told.top.items()}
    return ComparedPart(
        size=told.people,
        average_score=told.average_score,
        seniorities=top.get("seniority"),
        industries=top.get("companyIndustry"),
        states=top.get("state"),
    )


def _counts(counts: profile.Counts) -> dict[str, int]:
    return {clean(str(value), replies.NAME_LENGTH): people for value, people in counts.items()}
