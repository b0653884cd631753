"""One request to Sonarly, authenticated and permitted, with all that is needed to answer it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from leadpipe_mcp.sandbox.days import timestamp
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Issue, Json
from leadpipe_mcp.sandbox.sonarly_replies import SonarlyRefusal, invalid, not_ready, nowhere
from leadpipe_mcp.sandbox.sonarly_settings import SonarlySettings
from leadpipe_mcp.sandbox.sonarly_store import Audience, Folder, Group, can_be_id
from leadpipe_mcp.sandbox.world import World


@dataclass(frozen=True, slots=True)
class SonarlyCall:
    """A request that a handler answers.

    A handler reads the body before it asks for what the path names, so that 400 comes before 404.
    """

    settings: SonarlySettings
    groups: Mapping[str, Group]
    """Those that the key sees."""
    world: World
    now: float
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def require_path(self) -> None:
        """Refuse ids that cannot be ids, and a group that 403 keeps the key from."""
        for name, text in self.path.items():
            known = name == "accountGroupId" and text in self.groups
            if not known and not can_be_id(text, self.settings):
                self._refuse_id(name)
        group_id = self.path.get("accountGroupId")
        if self.settings.unknown_group == 403 and group_id and group_id not in self.groups:
            raise SonarlyRefusal(403, "No access to this account group")

    def group(self) -> Group:
        """The account group that the path names."""
        try:
            return self.groups[self.path["accountGroupId"]]
        except KeyError:
            raise nowhere("Account group") from None

    def audience(self) -> Audience:
        """The audience that the path names, if it is ready."""
        try:
            audience = self.group().audiences[self.path["audienceId"]]
        except KeyError:
            raise nowhere("Audience") from None
        if not audience.is_ready(self.now):
            raise not_ready()
        return audience

    def folder(self, folder_id: str) -> Folder:
        """A folder of the group."""
        try:
            return self.group().folders[folder_id]
        except KeyError:
            raise nowhere("Folder") from None

    def form(self, *known: str) -> Form:
        """The body, to be read field by field; `known` are the fields that it may have."""
        try:
            body: object = json.loads(self.body)
        except ValueError:
            raise invalid(Issue("", "Expected JSON")) from None
        form = Form(body)
        if self.settings.unknown_fields == "reject":
            for field in form.fields.keys() - set(known):
                form.wrong(field, "Unknown field")
        return form

    def name(self, form: Form) -> str | None:
        """The name in a form; None if there is none, or if it is wrong."""
        name = form.text("name", self.settings.longest_name, shortest=1)
        if name is None:
            return None
        if not name.strip() and self.settings.blank_names == "reject":
            return form.wrong("name", "Expected more than spaces")
        return name.strip() if self.settings.trimmed_names else name

    def time(self, moment: int) -> str:
        """A moment in milliseconds, as the settings write it."""
        return timestamp(moment / 1000) if self.settings.times == "iso" else str(moment)

    def _refuse_id(self, name: str) -> None:
        if self.settings.malformed_id == 400:
            raise invalid(Issue(name, "Invalid id"))


class Success(NamedTuple):
    """What a handler answers."""

    data: Json
    status: Literal[200, 201] = 200


class SonarlyEndpoint(NamedTuple):
    """A route, the function that answers it, and the permission that it needs."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    """Its variable parts in braces."""
    handler: Callable[[SonarlyCall], Success]
    permission: str | None = None
