"""One request to Leadpipe, authenticated and parsed, with all that is needed to answer it."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from starlette.responses import JSONResponse, Response

from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import Endpoint, Form, Json, invalid, timestamp
from leadpipe_mcp.sandbox.store import Audience, Organisation, newest_data

Answering = Callable[["Call"], Response]
LeadpipeEndpoint = Endpoint[Answering]
# What an endpoint needs; the rest answer to everybody.
ANY_KEY, LIVE_KEY = "any key", "live key"


def answer(data: object, meta: Json | None = None, status: int = 200) -> Response:
    """The success envelope around `data`."""
    return JSONResponse({"data": data} | ({} if meta is None else {"meta": meta}), status)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a handler answers."""

    settings: SandboxSettings
    organisation: Organisation
    """The caller's."""
    organisations: Mapping[str, Organisation]
    """Everybody's, for links that need no key."""
    now: float
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: object
    base_url: str
    """Where the sandbox is, as this request found it."""
    has_key: bool
    expired: bool

    @property
    def data_date(self) -> date:
        """The newest day with data."""
        return newest_data(self.now)

    def audience(self) -> Audience:
        """The audience that the path names."""
        return self.organisation.audience(as_uuid(self.path["id"], "id"), self.now)

    def traced(self, data: object, status: int = 200) -> Response:
        """A success with the `meta` by which the catalogue generation traces requests."""
        meta: Json = {"timestamp": timestamp(self.now), "request_id": f"req_{uuid.uuid4().hex}"}
        return answer(data, meta, status)

    def reply(self, data: object, status: int = 200) -> Response:
        """A success as the generation that is played writes it."""
        if self.settings.profile == "flat":
            return answer(data, status=status)
        return self.traced(data, status)

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number in the query string."""
        text = self.query.get(name, str(default))
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        raise invalid(name, f"Expected an integer from {low} to {high}")

    def config(self) -> Config:
        """The body as a bare config."""
        form = Form(self.body)
        config = read_config(form, self.settings)
        form.check()
        return config


def as_uuid(text: str | None, name: str) -> str:
    """An id in its usual form, refused when it is not a UUID."""
    try:
        return str(uuid.UUID(text or ""))
    except ValueError:
        raise invalid(name, "Invalid uuid") from None
