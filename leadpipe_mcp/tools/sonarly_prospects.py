"""sonarly_list_prospects: people in a LinkedIn audience."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Literal, cast

from pydantic import Field, JsonValue

from leadpipe_mcp.api.sonarly_models import ProspectPage
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import PROSPECT_COLUMNS, choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.text import counted, quoted
from leadpipe_mcp.toolkit import Reply, tool
from leadpipe_mcp.tools.arguments import ManyOf, Named, StrictInt
from leadpipe_mcp.tools.replies import Table, filled, fitting, third_party_warning, warnings
from leadpipe_mcp.tools.services import Call
from leadpipe_mcp.tools.sonarly_accounts import AUDIENCE_ID, InAccount, SonarlyId, account_of

DEFAULT_FIELDS = ("name", "jobTitle", "company", "companyIndustry", "linkedinUrl")
LARGEST_PAGE = 100
_NOT_OURS = (
    "This cursor does not belong to this audience.",
    "Pass nextCursor of the last page unchanged, or leave it out to start again.",
)
_CURSOR = re.compile(r"([0-9a-f]{6})\.([0-9]{1,3})\.([0-9]{1,6})\.(.*)", re.DOTALL)


class ListProspects(InAccount):
    """Which audience, which fields, and how many people."""

    id: SonarlyId = Field(description=AUDIENCE_ID)
    fields: ManyOf[str] | None = Field(
        default=None,
        max_length=60,
        description="Columns, instead of name, title, company, industry, LinkedIn URL; such as"
        " companyWebsite, email. An unknown one lists them all.",
    )
    limit: StrictInt = Field(
        default=25, ge=1, le=LARGEST_PAGE, description="Maximum number of people (1-100)."
    )
    cursor: str | None = Field(
        default=None, max_length=4000, description="nextCursor of the last page."
    )
    contact: Named[Literal["masked", "full"]] = Field(
        default="masked",
        description="full: unmasked e-mail and phone, only if the user asked.",
    )


class ProspectsFound(Reply):
    """Some people in a LinkedIn audience."""

    people: Table | None = None
    next_cursor: str | None = Field(default=None, description="Pass as cursor for the next page.")


@dataclass(frozen=True)
class Place:
    """Where a page starts: the audience it is of, the service's cursor, rows to skip."""

    subject: str
    limit: int
    skip: int = 0
    cursor: JsonValue = None

    @classmethod
    def of(cls, asked: ListProspects) -> "Place":
        """Return the place that the cursor names, or the start."""
        subject = hashlib.sha256(asked.id.encode("utf-8", "replace")).hexdigest()[:6]
        if not asked.cursor:
            return cls(subject, asked.limit)
        found = _CURSOR.fullmatch(asked.cursor)
        if not found or found[1] != subject:
            raise NotPossible(*_NOT_OURS)
        # The same page with another limit would be a different page.
        return cls(subject, int(found[2]), int(found[3]), _cursor_of(found[4]))

    def said(self) -> str:
        """Return the place as a cursor."""
        cursor = ""
        if self.cursor is not None:
            cursor = json.dumps(self.cursor, ensure_ascii=False, separators=(",", ":"))
        return f"{self.subject}.{self.limit}.{self.skip}.{cursor}"

    def after(self, page: ProspectPage, shown: int) -> "Place | None":
        """Return where the next page starts; None at the end."""
        done = self.skip + shown
        if done < len(page.items):
            return Place(self.subject, self.limit, done, self.cursor)
        if page.next_cursor is None or page.next_cursor == self.cursor:
            return None
        return Place(self.subject, self.limit, 0, page.next_cursor)


def _cursor_of(told: str) -> JsonValue:
    try:
        return cast("JsonValue", json.loads(told)) if told else None
    except ValueError:
        raise NotPossible(*_NOT_OURS) from None


@tool("Show the people of a LinkedIn audience", reads=True)
async def sonarly_list_prospects(call: Call, asked: ListProspects) -> ProspectsFound:
    """Show the people (prospects, leads) in a LinkedIn audience, page by page.

    Headlines and self-descriptions are left out unless named in fields; e-mail addresses and phone
    numbers are masked unless contact is full. For people who research a topic, use query_audience.
    """
    columns = choose_columns(asked.fields or DEFAULT_FIELDS, PROSPECT_COLUMNS)
    call.is_whole(asked.contact)
    place = Place.of(asked)
    account = await account_of(call, asked)
    page = await call.sonarly.prospects(account.id, asked.id, place.cursor, place.limit)
    people = page.items[place.skip : place.skip + asked.limit]
    if not people:
        return _nobody(asked)
    rows = fitting(
        table([person.as_row() for person in people], columns, contact=asked.contact == "full")
    )
    following = place.after(page, len(rows))
    names = [column.name for column in columns]
    shown = filled(names, rows)
    missing = [name for name in asked.fields or () if shown and name not in shown.columns]
    return ProspectsFound(
        summary=f"{counted(len(rows), 'prospect')}{'; more follow' if following else ''}.",
        people=shown,
        next_cursor=following.said() if following else None,
        warnings=warnings(
            [f"Sonarly shows {quoted(missing)} for nobody here."] if missing else None,
            third_party_warning(columns),
        ),
    )


def _nobody(asked: ListProspects) -> ProspectsFound:
    if asked.cursor:
        return ProspectsFound(summary="No more prospects.")
    return ProspectsFound(
        summary="This audience has no prospects yet; prospecting jobs in Sonarly add them."
    )
