"""One request to Leadpipe, authenticated and parsed, with all that is needed to answer it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.simulator import Json, Refusal, invalid, not_found, timestamp
from leadpipe_mcp.sandbox.store import Audience, File, Organisation, Run, newest_data


def answer(data: object, meta: Json | None = None, status: int = 200) -> Response:
    """The success envelope around `data`."""
    return JSONResponse({"data": data} | ({} if meta is None else {"meta": meta}), status)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a handler answers."""

    settings: SandboxSettings
    organisation: Organisation
    """The caller's."""
    files: dict[str, File]
    """Everybody's exports, for links that need no key."""
    now: float
    path: Mapping[str, str]
    query: Json
    body: object
    request: Request

    @property
    def data_date(self) -> date:
        """The newest day with data."""
        return newest_data(self.now)

    def audience(self) -> Audience:
        """The audience that the path names."""
        return self.organisation.audience(as_uuid(self.path["id"], "id"), self.now)

    def run(self) -> Run:
        """The run that the path names."""
        audience, run_id = self.audience(), as_uuid(self.path["run_id"], "runId")
        found = [run for run in audience.runs if run.id == run_id]
        if not found:
            raise not_found("Run")
        return found[0]

    def completed_run(self) -> Run:
        """The run that the path names, if it has results."""
        run = self.run()
        if (status := run.status(self.now)) != "completed":
            raise Refusal(409, f"Run is {status} and has no results")
        return run

    def reply(self, data: object, status: int = 200) -> Response:
        """A success; all but the flat generation add the `meta` by which they trace requests."""
        if self.settings.profile == "flat":
            return answer(data, status=status)
        meta: Json = {"timestamp": timestamp(self.now), "request_id": f"req_{uuid.uuid4().hex}"}
        return answer(data, meta, status)

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number in the query string."""
        text = str(self.query.get(name, default))
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        raise invalid(name, f"Expected an integer from {low} to {high}")


def as_uuid(text: str | None, name: str) -> str:
    """An id in its usual form, refused when it is not a UUID."""
    try:
        return str(uuid.UUID(text or ""))
    except ValueError:
        raise invalid(name, "Invalid uuid") from None
