"""query_visitor_data: who visited the customer's own websites."""

import re
from typing import Annotated

from pydantic import Field, model_validator

from leadpipe_mcp.api.visitors import Pixel, Timeframe, VisitorPage
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import VISITOR_COLUMNS, Column, choose_columns
from leadpipe_mcp.people.privacy import CONTACT_LIMIT, table
from leadpipe_mcp.text import counted
from leadpipe_mcp.toolkit import Arguments, Reply, Suggestion, tool
from leadpipe_mcp.tools import replies
from leadpipe_mcp.tools.arguments import Contact, ManyOf, Named, StrictInt, checked
from leadpipe_mcp.tools.pixels import SEE_PIXELS, Domain, domain_of, status_of
from leadpipe_mcp.tools.replies import Table, cell, suggest, warnings
from leadpipe_mcp.tools.services import Call, if_shown

DEFAULT_FIELDS = ("name", "jobTitle", "company", "country", "lastSeen", "pages", "contactEmail")
MOST_DOMAINS = 5
# The fifty rows of a page fit into 2,000 tokens so.
SHORT_CELL = 36
NOW_ON = "recognise visitors from now on"

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?Z")


Email = Annotated[
    str,
    Field(max_length=320),
    checked(
        lambda said: address if _EMAIL.fullmatch(address := said.strip().lower()) else None,
        "must be an e-mail address.",
    ),
]


class QueryVisitors(Arguments):
    domain: Domain | None = Field(
        default=None, description="Visitors of this website, such as acme.example."
    )
    email: Email | None = Field(
        default=None, description="The visitor with this address, and what they looked at."
    )
    timeframe: Named[Timeframe] = Field(default="7d", description="How far back to look.")
    page: StrictInt = Field(default=1, ge=1, le=1_000_000, description="nextPage of the last page.")
    fields: ManyOf[str] | None = Field(
        default=None,
        max_length=60,
        description="Columns, instead of name, title, company, country, last seen, pages, masked"
        " e-mail; such as landingPage, pageviews, phone. An unknown one lists them all.",
    )
    contact: Contact = "masked"

    @model_validator(mode="after")
    def _somebody(self) -> "QueryVisitors":
        if not self.domain and not self.email:
            raise NotPossible(
                "Pass a domain, or the email of one visitor.", "list_pixels shows the domains."
            )
        return self

    def said(self) -> str:
        """Say what is asked for, without the address."""
        where = f" to {self.domain}" if self.domain else ""
        who = " with this address" if self.email else ""
        special = {"all": "at any time", "24h": "in the last 24 hours"}
        when = special.get(self.timeframe, f"in the last {self.timeframe[:-1]} days")
        return f"{where}{who} {when}"


class VisitorsFound(Reply):
    size: int | None = Field(default=None, description="Total number of visitors.")
    visitors: Table | None = None
    next_page: int | None = Field(default=None, description="Pass as page for the next page.")


@tool("Show website visitors", reads=True)
async def query_visitor_data(call: Call, asked: QueryVisitors) -> VisitorsFound:
    """Show who visited the customer's own website: anonymous traffic turned into people (leads).

    Pass a domain for everyone, or an email for one visitor's journey. It covers only websites with
    a tracking pixel; an empty answer says whether there is one and what to do. E-mail addresses and
    phone numbers are masked unless contact is full. For people who research a topic elsewhere, use
    query_audience.
    """
    columns = choose_columns(asked.fields or DEFAULT_FIELDS, VISITOR_COLUMNS)
    call.is_whole(asked.contact)
    page = await call.leadpipe.visitors.find(
        email=asked.email, domain=asked.domain, timeframe=asked.timeframe, page=asked.page
    )
    if page.visitors:
        return _shown(asked, columns, page)
    if asked.page == 1:
        return await _nobody(call, asked)
    in_all = "" if page.total is None else f": {counted(page.total, 'visitor')} in all"
    return VisitorsFound(
        summary=f"There is no page {asked.page} of visitors{asked.said()}{in_all}.",
        size=page.total,
    )


def _shown(asked: QueryVisitors, columns: tuple[Column, ...], page: VisitorPage) -> VisitorsFound:
    people = page.visitors
    width = CONTACT_LIMIT if asked.fields else SHORT_CELL
    rows = replies.fitting(
        [
            [cell(_MOMENT.sub(r"\1 \2Z", v) if isinstance(v, str) else v, width) for v in row]
            for row in table(people, columns, contact=asked.contact == "full")
        ]
    )
    cut = len(people) - len(rows)
    of = "" if page.total is None else f" of {page.total:,}"
    noun = "visitor" if (page.total or len(rows)) == 1 else "visitors"
    known = any(asked.email in str(one).lower() for one in page.visitors if asked.email)
    return VisitorsFound(
        summary=f"{len(rows):,}{of} {noun}{asked.said()}, page {asked.page}.",
        size=page.total,
        visitors=replies.table_of([column.name for column in columns], rows),
        next_page=asked.page + 1 if page.has_more else None,
        warnings=warnings(
            f"{counted(cut, 'row')} of this page did not fit; name fewer fields to see them."
            if cut
            else None,
            # The service may have answered another question.
            "None of these records shows the address that was asked for; they may be of others."
            if asked.email and not known
            else None,
            replies.third_party_warning(columns),
        ),
    )


async def _nobody(call: Call, asked: QueryVisitors) -> VisitorsFound:
    """Say why there is nobody, if the pixels show it. The service answers alike in every case."""
    there = await if_shown(call.leadpipe.visitors.pixels)
    said, step = "Whether a pixel covers them could not be checked just now.", None
    if there is not None:
        said, step = (_of_domain if asked.domain else _of_anybody)(there, asked)
    summary = f"No visitors{asked.said()}. {said}"
    return VisitorsFound(summary=summary, size=0, next=replies.suggestions(step))


def _of_anybody(there: tuple[Pixel, ...], asked: QueryVisitors) -> tuple[str, Suggestion | None]:
    active = [domain_of(pixel) for pixel in there if pixel.status == "active"]
    if not there:
        step = suggest("create_pixel", NOW_ON)
        return "No website has a pixel yet, so nobody can be recognised.", step
    if not active:
        said = f"No pixel is active ({len(there)} paused), so nobody is recognised now."
        return said, SEE_PIXELS
    # The address is not repeated: replies may be stored.
    step = suggest("query_visitor_data", "look further back, with the same email", timeframe="all")
    said = f"Pixels are active on {replies.some(active, MOST_DOMAINS)}."
    return said, None if asked.timeframe == "all" else step


def _of_domain(there: tuple[Pixel, ...], asked: QueryVisitors) -> tuple[str, Suggestion | None]:
    domain = asked.domain or ""
    pixel = next((pixel for pixel in there if pixel.is_of(domain)), None)
    if pixel is None:
        others = replies.some([domain_of(pixel) for pixel in there], MOST_DOMAINS)
        said = f"{domain} has no pixel, so nobody is recognised there."
        said += f" Pixels are on {others}." if others else ""
        return said, suggest("create_pixel", NOW_ON, domain=domain)
    if pixel.status != "active":
        said = f"The pixel for {domain_of(pixel)} is {status_of(pixel)}, so nobody is recognised."
        why = "recognise visitors again"
        return said, suggest("update_pixel", why, id=pixel.id, status="active")
    where = {"tool": "query_visitor_data", "domain": pixel.domain}
    if pixel.domain != domain:
        said = f"Its active pixel is registered as '{domain_of(pixel)}'."
        return said, suggest(why="use the domain of its pixel", timeframe=asked.timeframe, **where)
    since = f" (since {pixel.created_at[:10]})" if pixel.created_at else ""
    said = f"Its pixel is active{since} but recognised nobody: check that its code is in the pages."
    further = suggest(why="look further back", timeframe="all", **where)
    return said, None if asked.timeframe == "all" else further
