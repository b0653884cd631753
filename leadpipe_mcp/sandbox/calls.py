"""One request, authenticated and parsed, with all that is needed to answer it."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.files import Files
from leadpipe_mcp.sandbox.replies import (
    Download,
    Form,
    Issue,
    Json,
    Refusal,
    Reply,
    answer,
    data_date,
    refuse_issues,
    timestamp,
)
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.store import Audience, Organisation


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a handler answers."""

    settings: SandboxSettings
    organisation: Organisation
    now: float
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: object
    files: Files
    base_url: str
    """Where the sandbox is, as this request found it."""
    has_key: bool = False
    expired: bool = False

    @property
    def data_date(self) -> date:
        """The newest day with data."""
        return data_date(self.now)

    def audience(self) -> Audience:
        """The audience that the path names."""
        return self.organisation.audience(self.as_uuid(self.path["id"], "id"), self.now)

    def as_uuid(self, text: str | None, name: str) -> str:
        """An id in its usual form, refused when it is not a UUID."""
        try:
            return str(uuid.UUID(text or ""))
        except ValueError:
            raise self.refuse(name, "Invalid uuid") from None

    def traced(self, data: object, status: int = 200) -> Reply:
        """A success with the `meta` by which the catalogue generation traces requests."""
        meta: Json = {"timestamp": timestamp(self.now), "request_id": f"req_{uuid.uuid4().hex}"}
        return answer(data, meta, status)

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number in the query string."""
        text = self.query.get(name, str(default))
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        raise self.refuse(name, f"Expected an integer from {low} to {high}")

    def config(self) -> Config:
        """The body as a bare config."""
        form = Form(self.body)
        config = read_config(form, self.settings)
        self.refuse_issues(form)
        return config

    def refuse_issues(self, form: Form) -> None:
        """Refuse the request if its form is not in order."""
        if form.issues:
            raise refuse_issues(form.issues, self.settings)

    def refuse(self, field: str, message: str) -> Refusal:
        """The refusal for one bad field."""
        return refuse_issues([Issue(field, message)], self.settings)


class Endpoint(NamedTuple):
    """A route and the function that answers it."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    handler: Callable[[Call], Reply | Download]
    needs: Literal["key", "live key", "nothing"] = "live key"
    """Whether it answers to nobody in particular, to any key, or not to expired ones."""
