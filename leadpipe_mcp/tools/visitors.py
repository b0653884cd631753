"""query_visitor_data: who visited the customer's own websites."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from leadpipe_mcp.api.visitors import Pixel, Timeframe, Visitor, VisitorPage
from leadpipe_mcp.errors import NotPossible, ServiceError
from leadpipe_mcp.people.columns import VISITOR_COLUMNS, Column, choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.text import clean, counted, listed
from leadpipe_mcp.toolkit import Arguments, Reply, Suggestion, tool
from leadpipe_mcp.tools import pixels
from leadpipe_mcp.tools.arguments import ManyOf, Named, StrictInt
from leadpipe_mcp.tools.pixels import Domain, domain_of, status_of
from leadpipe_mcp.tools.replies import Cell, Table, fitting, third_party_warning, warnings
from leadpipe_mcp.tools.services import Call

DEFAULT_FIELDS = ("name", "jobTitle", "company", "country", "lastSeen", "pages", "contactEmail")
MOST_DOMAINS = 5
# The fifty rows of a page fit into 2,000 tokens so.
SHORT_CELL = 36

_SPANS: Mapping[Timeframe, str] = {
    "24h": "in the last 24 hours",
    "7d": "in the last 7 days",
    "14d": "in the last 14 days",
    "30d": "in the last 30 days",
    "90d": "in the last 90 days",
    "all": "at any time",
}
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?Z")


def _real_email(value: str) -> str:
    address = value.strip().lower()
    if not _EMAIL.fullmatch(address):
        raise ValueError("must be an e-mail address.")
    return address


Email = Annotated[str, Field(max_length=320), AfterValidator(_real_email)]


class QueryVisitors(Arguments):
    """Which website or visitor, when, and which fields."""

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
    contact: Named[Literal["masked", "full"]] = Field(
        default="masked",
        description="full: unmasked e-mail and phone, only if the user asked.",
    )

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
        return f"{where}{who} {_SPANS[self.timeframe]}"


class VisitorsFound(Reply):
    """Some visitors to the customer's websites."""

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
    if asked.page > 1:
        return _beyond(asked, page)
    return await _nobody(call, asked)


def _shown(asked: QueryVisitors, columns: tuple[Column, ...], page: VisitorPage) -> VisitorsFound:
    rows = table(
        [visitor.as_row() for visitor in page.visitors], columns, contact=asked.contact == "full"
    )
    rows = fitting([_polished(row, columns, short=not asked.fields) for row in rows])
    cut = len(page.visitors) - len(rows)
    of = f"{len(rows):,} of {page.total:,}" if page.total is not None else f"{len(rows):,}"
    noun = "visitor" if (page.total or len(rows)) == 1 else "visitors"
    return VisitorsFound(
        summary=f"{of} {noun}{asked.said()}, page {asked.page}.",
        size=page.total,
        visitors=Table(columns=[column.name for column in columns], rows=rows),
        next_page=asked.page + 1 if page.has_more else None,
        warnings=warnings(
            [f"{counted(cut, 'row')} of this page did not fit; name fewer fields to see them."]
            if cut
            else None,
            _doubts(asked.email, page.visitors),
            third_party_warning(columns),
        ),
    )


def _polished(row: list[Cell], columns: tuple[Column, ...], *, short: bool) -> list[Cell]:
    """Return the row with times to the minute, and cut short if nobody chose the columns."""
    return [
        _MOMENT.sub(r"\1 \2Z", value)
        if column.name == "lastSeen" and isinstance(value, str)
        else clean(value, SHORT_CELL)
        if short and isinstance(value, str)
        else value
        for column, value in zip(columns, row, strict=True)
    ]


def _doubts(email: str | None, visitors: Sequence[Visitor]) -> list[str]:
    """The warning that the service may have answered another question."""
    if email is None or any(email in visitor.model_dump_json().lower() for visitor in visitors):
        return []
    return ["None of these records shows the address that was asked for; they may be of others."]


def _beyond(asked: QueryVisitors, page: VisitorPage) -> VisitorsFound:
    in_all = "" if page.total is None else f": {counted(page.total, 'visitor')} in all"
    return VisitorsFound(
        summary=f"There is no page {asked.page} of visitors{asked.said()}{in_all}.",
        size=page.total,
    )


async def _nobody(call: Call, asked: QueryVisitors) -> VisitorsFound:
    """Why there is nobody, if the pixels show it. The service answers alike in every case."""
    nobody = f"No visitors{asked.said()}."
    try:
        there = await call.leadpipe.visitors.pixels()
    except ServiceError:
        return VisitorsFound(
            summary=f"{nobody} Whether a pixel covers them could not be checked just now.", size=0
        )
    if asked.domain is None:
        why, following = _pixels_in_all(there, asked)
    else:
        why, following = _pixel_of(asked.domain, there, asked)
    return VisitorsFound(summary=f"{nobody} {why}", size=0, next=[following] if following else None)


def _pixels_in_all(there: Sequence[Pixel], asked: QueryVisitors) -> tuple[str, Suggestion | None]:
    """Say what the pixels of all websites mean for a visitor who is not known."""
    if not there:
        return _no_pixel("No website has a pixel yet, so nobody can be recognised.", None)
    active = [domain_of(pixel) for pixel in there if pixel.status == "active"]
    if not active:
        say = f"No pixel is active ({len(there)} paused), so nobody is recognised now."
        return say, pixels.to_list()
    return f"Pixels are active on {_some(active)}.", _look_further(asked)


def _pixel_of(
    domain: str, there: Sequence[Pixel], asked: QueryVisitors
) -> tuple[str, Suggestion | None]:
    """Say how the pixel of the domain is, or that there is none."""
    pixel = next((pixel for pixel in there if pixel.is_of(domain)), None)
    if pixel is None:
        others = f" Pixels are on {_some([domain_of(p) for p in there])}." if there else ""
        say = f"{domain} has no pixel, so nobody is recognised there.{others}"
        return _no_pixel(say, domain)
    if pixel.status != "active":
        say = f"The pixel for {domain_of(pixel)} is {status_of(pixel)}, so nobody is recognised."
        return say, Suggestion(
            tool="update_pixel",
            arguments={"id": pixel.id, "status": "active"},
            why="recognise visitors again",
        )
    if pixel.domain != domain:
        say = f"Its active pixel is registered as '{domain_of(pixel)}'."
        return say, Suggestion(
            tool="query_visitor_data",
            arguments={"domain": pixel.domain, "timeframe": asked.timeframe},
            why="use the domain of its pixel",
        )
    since = f" (since {pixel.created_at[:10]})" if pixel.created_at else ""
    say = f"Its pixel is active{since} but recognised nobody: check that its code is in the pages."
    return say, _look_further(asked)


def _no_pixel(say: str, domain: str | None) -> tuple[str, Suggestion]:
    return say, Suggestion(
        tool="create_pixel",
        arguments={"domain": domain} if domain else None,
        why="recognise visitors from now on",
    )


def _look_further(asked: QueryVisitors) -> Suggestion | None:
    if asked.timeframe == "all":
        return None
    # The address is not repeated: replies may be stored.
    arguments = {"domain": asked.domain} if asked.domain else {}
    return Suggestion(
        tool="query_visitor_data",
        arguments={**arguments, "timeframe": "all"},
        why="look further back" if asked.domain else "look further back, with the same email",
    )


def _some(domains: Sequence[str]) -> str:
    shown = list(domains[:MOST_DOMAINS])
    more = len(domains) - len(shown)
    return listed([*shown, f"{more} more"] if more else shown)


TOOLS = (query_visitor_data, *pixels.TOOLS)
