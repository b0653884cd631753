"""Visitors: who came to the customer's own websites, and the pixels by which they are known."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter
from pydantic.alias_generators import to_camel

from leadpipe_mcp.api.addresses import path_of
from leadpipe_mcp.api.answers import as_list, as_object
from leadpipe_mcp.api.budget import Noun
from leadpipe_mcp.api.generations import Service
from leadpipe_mcp.api.reading import Count, Id, Label, Model, Moment, Name, Row, Told
from leadpipe_mcp.api.settling import OutcomeWords, settled, the_new_one
from leadpipe_mcp.errors import NotFound, ServiceError, Unclear

Timeframe = Literal["24h", "7d", "14d", "30d", "90d", "all"]
PixelStatus = Literal["active", "paused"]

# No document says how many visitors are on a page; two integrators saw this number.
PAGE_SIZE = 50

_PIXELS = "/v1/data/pixels"
_LOOK = "Look with list_pixels in a minute, before trying again."
_HOST = re.compile(r"(?!-)[\w-]+(\.[\w-]+)+")
_MOMENT = TypeAdapter[str | None](Moment)
_SCHEME = re.compile(r"^\w+://")


@dataclass(frozen=True)
class VisitorPage:
    """Some visitors, how many there are in all (None: not told), and whether more follow."""

    visitors: tuple[Row, ...] = ()
    total: int | None = None
    has_more: bool = False


class _Meta(Told):
    """What is documented of a page is its total; what else may tell whether more follow is not."""

    total: Count | None = None
    has_more: bool | None = None
    total_pages: Count | None = None

    def more_follow(self, page: int, shown: int) -> bool:
        """Whether more follow the page that shows this number."""
        if self.has_more is not None:
            return self.has_more
        if self.total_pages is not None:
            return page < self.total_pages
        if self.total is None:
            return shown >= PAGE_SIZE
        is_last = (page - 1) * PAGE_SIZE + shown == self.total
        # Where pages are of another size, a page too many is better than visitors too few.
        return 0 < page * shown < self.total and not is_last


class Pixel(Told):
    """The script of one website, which recognises its visitors.

    A list of paths is None where there is none, and not set where the service does not show it.
    """

    noun: ClassVar[Noun] = ("pixel", "pixels")
    id: Id
    domain: Name
    status: Label
    name: Name | None = None
    paused_reason: Label | None = None
    excluded_paths: tuple[str, ...] | None = None
    included_paths: tuple[str, ...] | None = None
    code: str | None = Field(default=None, repr=False)
    created_at: Moment = None

    def is_of(self, domain: str) -> bool:
        """Whether it is the pixel of the domain, however the two are written."""
        one, other = (
            (host_of(name) or name.strip().lower()).removeprefix("www.")
            for name in (self.domain, domain)
        )
        return one == other


class PixelChange(Model):
    """What to change of a pixel; what is not set stays, None removes a list."""

    status: PixelStatus | None = None
    excluded_paths: tuple[str, ...] | None = None
    included_paths: tuple[str, ...] | None = None

    def differs_from(self, pixel: Pixel) -> bool:
        """Whether the pixel differs from this change in any part that it shows."""
        shown = self.model_fields_set & pixel.model_fields_set
        # The order of paths does not count, and no list is an empty one.
        return ("status" in shown and self.status != pixel.status) or any(
            sorted(getattr(self, part) or ()) != sorted(getattr(pixel, part) or ())
            for part in shown - {"status"}
        )


class Visitors:
    """The visitors of the organization's websites, and its pixels."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def find(
        self,
        *,
        email: str | None = None,
        domain: str | None = None,
        timeframe: Timeframe = "7d",
        page: int = 1,
    ) -> VisitorPage:
        """Who came to the domain, or what is known of the visitor with the address."""
        try:
            answer = await self._service.get(
                "/v1/data", email=email, domain=domain, timeframe=timeframe, page=page
            )
        except NotFound as missing:
            await self._service.check_missing(missing)
            # An empty list is what was seen where there is nobody; one integrator expects this.
            return VisitorPage(total=0)
        # What one visitor alone looks like is not documented.
        alone = [answer.data] if as_object(answer.data) else None
        rows = alone or ([] if answer.data is None else answer.items())
        meta = _Meta.model_validate(answer.meta)
        more = meta.more_follow(page, len(rows))
        return VisitorPage(answer.people(map(_visitor, rows)), meta.total, more)

    async def pixels(self, *, whole: bool = False) -> tuple[Pixel, ...]:
        """Every pixel of the organization that can be read.

        `whole` refuses a list in which a pixel cannot be read: it may be the one looked for.
        """
        answer = await self._service.get(_PIXELS)
        return answer.read_each(Pixel, whole=whole)

    async def create_pixel(
        self,
        domain: str,
        name: str | None = None,
        *,
        excluded_paths: tuple[str, ...] | None = None,
        included_paths: tuple[str, ...] | None = None,
    ) -> Pixel:
        """The new pixel, with the code to put into the pages."""
        lists = {"excludedPaths": excluded_paths, "includedPaths": included_paths}
        body = {"domain": domain, "name": name, **lists}
        given = {field: value for field, value in body.items() if value is not None}
        before: set[str] | None = None
        with contextlib.suppress(ServiceError):
            before = {pixel.id for pixel in await self.pixels(whole=True) if pixel.is_of(domain)}

        async def create() -> Pixel:
            return (await self._service.post(_PIXELS, given)).read(Pixel)

        async def look() -> Pixel | None:
            there = [pixel for pixel in await self.pixels(whole=True) if pixel.is_of(domain)]
            fresh = [pixel for pixel in there if pixel.id not in (before or ())]
            return the_new_one(fresh, "pixel", certain=before is not None)

        words = OutcomeWords("the domain has no new pixel, so none was created.", _LOOK, firm=False)
        pixel = await settled(create, look, words, again=True)
        is_shown = {"excluded_paths", "included_paths"} & pixel.model_fields_set
        # No document shows the lists of paths in the first answer.
        with contextlib.suppress(ServiceError):
            if given.keys() & lists.keys() and not is_shown:
                listed = (other for other in await self.pixels() if other.id == pixel.id)
                return next(listed, pixel).model_copy(update={"code": pixel.code})
        return pixel

    async def update_pixel(self, pixel_id: str, change: PixelChange) -> Pixel:
        """The pixel after the change."""
        path = f"{_PIXELS}{path_of(pixel_id)}"
        body = change.model_dump(mode="json", by_alias=True, exclude_unset=True)

        async def make() -> Pixel:
            answer = await self._service.transport.request("PATCH", path, body=body)
            pixel = answer.read(Pixel)
            if change.differs_from(pixel):
                raise answer.unusable("the pixel that it shows has not changed as asked")
            return pixel

        async def look() -> Pixel | None:
            pixel = next((one for one in await self.pixels() if one.id == pixel_id), None)
            if pixel is None or not change.model_fields_set <= pixel.model_fields_set:
                raise Unclear("The service does not show what was to be changed.")
            return None if change.differs_from(pixel) else pixel

        words = OutcomeWords("the pixel is not as was asked for.", _LOOK)
        return await settled(make, look, words, again=True)


def host_of(address: str) -> str | None:
    """The host of a domain or a web address, in lower case; None if it is neither."""
    text = address.strip().lower()
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"//{text}")
        host = (parts.hostname or "").removesuffix(".")
    except ValueError:
        return None
    return host if "@" not in parts.netloc and _HOST.fullmatch(host) else None


_CONTACT = {"email", "businessEmail", "personalEmail", "phone"}
# Under which other names readers of live answers have met a field.
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "company": ("companyName",),
    "companyIndustry": ("industry",),
    "companySize": ("companySizeRange", "companyEmployeeCount"),
    "companyRevenue": ("companyTotalRevenue",),
    "visitorCountry": ("country", "countryCode"),
    # A word here, and no number from 1 to 100 as in an audience.
    "intentLevel": ("intentScore",),
    "email": ("emails",),
    "businessEmail": ("businessEmails",),
    "personalEmail": ("personalEmails",),
    "phone": ("primaryPhone", "phones", "allPhones"),
    "referrerDomain": ("referrer",),
    "visitedPages": ("pageUrl",),
}


def _visitor(row: object) -> Row | None:
    """A visitor's fields under our names, in camelCase; None for what is no visitor."""
    told: dict[str, object] = {}
    for outer, value in as_object(row).items():
        inside = as_object(value)
        for inner, said in (inside or {outer: value}).items():
            name = to_camel(inner) if "_" in inner else inner
            # A company's name is not the visitor's.
            if inside and outer == "company":
                name = f"company{name[:1].upper()}{name[1:]}"
            if said not in (None, "", [], {}):
                told[name] = said
    if not told:
        return None
    for name, others in _OTHER_NAMES.items():
        found = next((told[other] for other in (name, *others) if other in told), None)
        told[name] = next(iter(as_list(found)), found) if name in _CONTACT else found
    told.pop("intentScore", None)
    visited = told["visitedPages"]
    places = [_place(page) for page in as_list(visited) or [visited]]
    told["pages"] = list(dict.fromkeys(f"/{place.partition('/')[2]}" for place in places if place))
    told["landingPage"] = _place(told.get("landingPage"))
    told["referrerDomain"] = (_place(told.get("referrerDomain")) or "").partition("/")[0]
    told["lastSeenAt"] = _MOMENT.validate_python(told.get("lastSeenAt"))
    return {name: value for name, value in told.items() if value}


def _place(page: object) -> str | None:
    """A page's host and path, if they are given.

    What follows a question mark or a hash is left out: it is no page, and forms and newsletters
    put people's addresses there.
    """
    texts = [page, *map(as_object(page).get, ("url", "pageUrl", "path", "page"))]
    text = next((text for text in texts if isinstance(text, str)), None)
    if text is None:
        return None
    plain = re.split(r"[?#]", _SCHEME.sub("", text), maxsplit=1)[0]
    # An address in a path is still to be known for one.
    return plain.replace("%40", "@")
