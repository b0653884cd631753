"""Sonarly's answers and refusals, in the envelope that is around both."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence

from starlette.responses import JSONResponse

from leadpipe_mcp.sandbox.replies import Issue, Json
from leadpipe_mcp.sandbox.sonarly_settings import SonarlySettings

_INVALID = "VALIDATION_ERROR"
_NOT_READY = "AUDIENCE_NOT_READY"


class SonarlyRefusal(Exception):
    """An answer that is an error, raised from wherever it becomes clear."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        issues: Sequence[Issue] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.issues = tuple(issues) or (Issue("", message),)
        self.headers = headers or {}


def invalid(*issues: Issue) -> SonarlyRefusal:
    """400 for a request that breaks the schema."""
    return SonarlyRefusal(400, "Request validation failed", code=_INVALID, issues=issues)


def not_ready() -> SonarlyRefusal:
    """409 for an audience that is being filled."""
    message = "The audience is being filled by an active prospecting job"
    return SonarlyRefusal(409, message, code=_NOT_READY)


def nowhere(what: str) -> SonarlyRefusal:
    """404 for something that the account group does not have."""
    return SonarlyRefusal(404, f"{what} not found")


class Envelope:
    """The four keys around every answer; no two answers have the same trace id."""

    def __init__(self, settings: SonarlySettings) -> None:
        self._settings = settings
        self._sent = 0

    def success(self, data: object, status: int) -> JSONResponse:
        """What was asked for."""
        traced = self._settings.trace_id != "errors"
        body: Json = {"success": True, "data": data, "error": None}
        return JSONResponse({**body, **self._trace(wanted=traced)}, status)

    def error(self, refusal: SonarlyRefusal) -> JSONResponse:
        """Why there is no such answer."""
        named = {400: _INVALID, **self._settings.codes}
        code = refusal.code or named.get(refusal.status, "ERROR")
        error: Json = {"code": code, "message": refusal.message}
        if self._settings.error_details != "absent":
            error["details"] = self._details(refusal)
        body: Json = {"success": False, "data": None, "error": error, **self._trace()}
        return JSONResponse(body, refusal.status, refusal.headers)

    def _details(self, refusal: SonarlyRefusal) -> object:
        listed = [issue._asdict() for issue in refusal.issues]
        forms: dict[str, object] = {
            "text": "; ".join(": ".join(filter(None, issue)) for issue in refusal.issues),
            "object": {"issues": listed},
            "array": listed,
        }
        return forms.get(self._settings.error_details)

    def _trace(self, *, wanted: bool = True) -> Json:
        self._sent += 1
        if not wanted or self._settings.trace_id == "absent":
            return {}
        digest = hashlib.sha256(f"trace {self._sent}".encode()).digest()
        if self._settings.trace_id == "uuid":
            return {"traceId": str(uuid.UUID(bytes=digest[:16], version=4))}
        return {"traceId": digest[:12].hex()}
