"""Visitors: who came to the customer's own websites, and the pixels by which they are known."""

import re
from collections.abc import Mapping
from typing import ClassVar, Literal, cast
from urllib.parse import urlsplit

from pydantic import Field
from pydantic.alias_generators import to_camel

from leadpipe_mcp.api.addresses import path_of
from leadpipe_mcp.api.answers import Answer, as_list, as_object
from leadpipe_mcp.api.budget import Noun
from leadpipe_mcp.api.models import Person
from leadpipe_mcp.api.reading import Count, Id, Label, Model, Moment, Name, Told
from leadpipe_mcp.api.service import Service
from leadpipe_mcp.api.settling import OutcomeWords, settled
from leadpipe_mcp.errors import NotFound, ServiceError, Unclear
from leadpipe_mcp.text import clean

Timeframe = Literal["24h", "7d", "14d", "30d", "90d", "all"]
PixelStatus = Literal["active", "paused"]

# No document says how many visitors are on a page; two integrators saw this number.
PAGE_SIZE = 50

_PIXELS = "/v1/data/pixels"
_LOOK = "Look with list_pixels in a minute, before trying again."
_HOST = re.compile(r"(?!-)[\w-]+(\.[\w-]+)+")
_SCHEME = re.compile(r"^\w+://")


class Visitor(Person):
    """One person who came to a website. Everything else that the service sends is kept."""

    noun: ClassVar[Noun] = ("visitor", "visitors")
    pages: tuple[str, ...] = ()
    last_seen_at: Moment = None


class VisitorPage(Model):
    """Some visitors, how many there are in all (None: not told), and whether more follow."""

    visitors: tuple[Visitor, ...] = ()
    total: int | None = None
    has_more: bool = False


class _Total(Told):
    total: Count | None = None


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
        return _bare(self.domain) == _bare(domain)


class PixelChange(Model):
    """What to change of a pixel; what is not set stays, None removes a list."""

    status: PixelStatus | None = None
    excluded_paths: tuple[str, ...] | None = None
    included_paths: tuple[str, ...] | None = None

    def differs_from(self, pixel: Pixel) -> bool:
        """Whether the pixel differs from this change in any part that it shows."""
        return any(
            _comparable(getattr(self, part)) != _comparable(getattr(pixel, part))
            for part in self.model_fields_set & pixel.model_fields_set
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
        rows = _rows(answer)
        visitors = answer.read_each(Visitor, [_fields(row) for row in rows])
        known = answer.read(_Total, answer.meta).total
        has_more = _has_more(answer.meta, page, len(rows), known)
        return VisitorPage(visitors=visitors, total=known, has_more=has_more)

    async def pixels(self) -> tuple[Pixel, ...]:
        """Every pixel of the organization that can be read."""
        return (await self._service.get(_PIXELS)).read_each(Pixel)

    async def all_pixels(self) -> tuple[Pixel, ...]:
        """Every pixel of the organization; one that cannot be read may be the one looked for."""
        return (await self._service.get(_PIXELS)).read_all(Pixel)

    async def create_pixel(
        self,
        domain: str,
        name: str | None = None,
        *,
        excluded_paths: tuple[str, ...] | None = None,
        included_paths: tuple[str, ...] | None = None,
    ) -> Pixel:
        """The new pixel, with the code to put into the pages.

        Raises:
            Conflict: If the domain has one already.
        """
        body = {
            "domain": domain,
            "name": name,
            "excludedPaths": excluded_paths,
            "includedPaths": included_paths,
        }
        given = {field: value for field, value in body.items() if value is not None}
        before = await self._known(domain)

        async def create() -> Pixel:
            return (await self._service.post(_PIXELS, given)).read(Pixel)

        async def look() -> Pixel | None:
            found = [pixel for pixel in await self.all_pixels() if pixel.is_of(domain)]
            if found and before is None:
                raise Unclear(f"The domain has the pixel {clean(found[0].id, 40)}; it may be it.")
            return next((pixel for pixel in found if pixel.id not in (before or ())), None)

        words = OutcomeWords("the domain has no new pixel, so none was created.", _LOOK, firm=False)
        pixel = (await settled(create, look, words, again=True)).result
        return pixel if given.keys() <= {"domain", "name"} else await self._with_paths(pixel)

    async def _known(self, domain: str) -> frozenset[str] | None:
        """The ids of the domain's pixels; None if they cannot be seen."""
        try:
            return frozenset(pixel.id for pixel in await self.all_pixels() if pixel.is_of(domain))
        except ServiceError:
            return None

    async def _with_paths(self, pixel: Pixel) -> Pixel:
        """The new pixel with the lists of paths, which no document shows in the first answer."""
        if {"excluded_paths", "included_paths"} & pixel.model_fields_set:
            return pixel
        try:
            listed = await self.pixels()
        except ServiceError:
            return pixel
        kept = next((other for other in listed if other.id == pixel.id), pixel)
        return kept.model_copy(update={"code": pixel.code})

    async def update_pixel(self, pixel_id: str, change: PixelChange) -> Pixel:
        """The pixel after the change.

        Raises:
            NotDone: If the service's answer contradicts the change, or it failed.
        """
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
        return (await settled(make, look, words, again=True)).result


def host_of(address: str) -> str | None:
    """The host of a domain or a web address, in lower case; None if it is neither."""
    text = address.strip().lower()
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"//{text}")
        host = (parts.hostname or "").removesuffix(".")
    except ValueError:
        return None
    return host if "@" not in parts.netloc and _HOST.fullmatch(host) else None


def _bare(domain: str) -> str:
    """The domain without what does not tell one site from another."""
    return (host_of(domain) or domain.strip().lower()).removeprefix("www.")


def _comparable(value: object) -> object:
    """A value of a pixel, where the order of paths, and none at all or null, are the same."""
    return sorted(cast("tuple[str, ...]", value)) or None if isinstance(value, tuple) else value


def _rows(answer: Answer) -> list[object]:
    """The records of an answer: what one visitor alone looks like is not documented."""
    if answer.data is None:
        return []
    return [answer.data] if as_object(answer.data) else answer.items()


def _has_more(meta: Mapping[str, object], page: int, shown: int, total: int | None) -> bool:
    """Whether a page follows; what `meta` holds besides the total is not documented."""
    said, pages = meta.get("hasMore"), meta.get("totalPages")
    if isinstance(said, bool):
        return said
    if isinstance(pages, int):
        return page < pages
    if total is None:
        return shown >= PAGE_SIZE
    is_last = (page - 1) * PAGE_SIZE + shown == total
    # Where pages are of another size, a page too many is better than visitors too few.
    return 0 < page * shown < total and not is_last


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


def _fields(row: object) -> object:
    """A visitor's fields under our names; None where there are none."""
    told = _told(as_object(row))
    if not told:
        return None
    for name, others in _OTHER_NAMES.items():
        found = next((told[other] for other in (name, *others) if other in told), None)
        if found is not None:
            told[name] = found
    for name in ("email", "businessEmail", "personalEmail", "phone"):
        told[name] = next(iter(as_list(told.get(name))), told.get(name))
    told.pop("intentScore", None)
    visited = told.get("visitedPages")
    places = [_place(page) for page in as_list(visited) or [visited]]
    told["pages"] = list(dict.fromkeys(_path(place) for place in places if place))
    told["landingPage"] = _place(told.get("landingPage"))
    told["referrerDomain"] = (_place(told.get("referrerDomain")) or "").partition("/")[0]
    return {name: value for name, value in told.items() if value}


def _told(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that say something, in camelCase, those of objects within beside the others."""
    told: dict[str, object] = {}
    for name, value in fields.items():
        for inner, text in as_object(value).items():
            # A company's name is not the visitor's.
            told[f"company{inner[:1].upper()}{inner[1:]}" if name == "company" else inner] = text
    for name, value in fields.items():
        if not isinstance(value, dict):
            told[to_camel(name) if "_" in name else name] = value
    return {name: value for name, value in told.items() if value not in (None, "", [])}


def _place(page: object) -> str | None:
    """A page's host and path, if they are given.

    What follows a question mark or a hash is left out: it is no page, and forms and newsletters
    put people's addresses there.
    """
    shown = as_object(page)
    texts = [page, *(shown.get(name) for name in ("url", "pageUrl", "path", "page"))]
    text = next((text for text in texts if isinstance(text, str)), None)
    if text is None:
        return None
    plain = re.split(r"[?#]", _SCHEME.sub("", text), maxsplit=1)[0]
    # An address in a path is still to be known for one.
    return plain.replace("%40", "@")


def _path(place: str) -> str:
    return f"/{place.partition('/')[2]}"
