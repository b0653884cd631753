"""Why something was not done, and what can be done about it.

An error carries facts: which service, its status, its code, what it said, when to come back, and
whether a change may have happened. `problem` and `advice` put them into sentences that a person, or
a model that helps one, can act on. `retryable` tells whether the same request can succeed later.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

LOOK_FIRST = "Whether the service did what was asked is unknown: look before trying again."
AGAIN = "Try again in a minute; if it still fails,"
"""The start of an advice that goes on with what to check."""
NOT_OFFERED = (
    "The service answers other requests but does not offer this one: tell the user; trying again"
    " does not help."
)
SERVICE, THE_SERVICE, BASE_URL = "<Service>", "<service>", "<BASE_URL>"
"""Stand for the vendor in a problem or an advice, until it is read."""
Failing = Literal["not sent", "late", "lost"]
"""How a request failed on its way: it never left, its answer is late, or it was lost."""


@dataclass(frozen=True)
class Vendor:
    """The vendor of a service, as errors speak of it."""

    names: tuple[str, str]
    """Its name at the start of a sentence, and inside one."""
    base_url: str
    """The variable that holds its address."""
    no_key: str
    """The problem where there is no key, and what can be done about it."""
    key_advice: str
    advice: Mapping[type[Exception], str] = field(default_factory=dict[type[Exception], str])
    """What to do about an error, where that differs from the usual advice of its kind."""

    def fill(self, text: str) -> str:
        """Return the text with the vendor's own names."""
        start, inside = self.names
        text = text.replace(SERVICE, start).replace(THE_SERVICE, inside)
        return text.replace(BASE_URL, self.base_url)


LEADPIPE = Vendor(
    names=("The service", "the service"),
    base_url="LEADPIPE_BASE_URL",
    no_key="No Leadpipe API key is set, so nothing was asked of the service.",
    key_advice=(
        "Set LEADPIPE_API_KEY (a key starts with sk_; Settings > API Keys in the Leadpipe"
        " dashboard) and restart the server; 'leadpipe-mcp install' asks for it and puts it into"
        " the assistant's configuration. To try everything with invented people and no key, start"
        " it with --sandbox."
    ),
)


class LeadpipeError(Exception):
    """Something that was asked for was not done.

    What a caller adds with `add_note` follows the problem.
    """

    retryable = False
    vendor: Vendor = LEADPIPE

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem, advice)

    @property
    def problem(self) -> str:
        """What went wrong, in whole sentences."""
        return self.vendor.fill(" ".join([self.args[0], *getattr(self, "__notes__", ())]))

    @property
    def advice(self) -> str:
        """What can be done about it, in whole sentences."""
        return self.vendor.fill(self.args[1])

    def __str__(self) -> str:
        return f"{self.problem} {self.advice}".strip()


class NotConfigured(LeadpipeError):
    """There is no API key."""

    def __init__(self, vendor: Vendor = LEADPIPE) -> None:
        super().__init__(vendor.no_key, vendor.key_advice)


class NotPossible(LeadpipeError, ValueError):
    """The service has no way to be asked this; nothing was sent.

    Also a ValueError, so that a pydantic validator may raise it.
    """


class AllowanceSpent(LeadpipeError):
    """A piece of work has used up its requests; this one was not sent."""

    def __init__(self) -> None:
        super().__init__("The requests that one call may make are used up.")


class ServiceError(LeadpipeError):
    """The service was asked, and did not do it.

    `advice` is what can be done where that is not the usual advice of its kind; `code` and
    `request_id` are the service's own words; `like` is an error about the same request.
    """

    what_next = ""
    leaves_doubt = False
    """Whether a change that was asked for may have been made all the same."""
    changing = False
    """Whether the request was to change something."""
    operation_advice = ""
    """What can be done about it in the operation that failed, if more is known there."""

    def __init__(
        self,
        problem: str,
        advice: str = "",
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        like: "ServiceError | None" = None,
    ) -> None:
        super().__init__(problem, advice)
        self.status, self.code, self.request_id = status, code, request_id
        self.retry_after = retry_after
        if like:
            self.vendor = like.vendor
            self.status, self.code, self.request_id = like.status, like.code, like.request_id

    @property
    def advice(self) -> str:
        """What can be done about it, in whole sentences."""
        if self.changing and self.leaves_doubt:
            return LOOK_FIRST
        usual = self.vendor.advice.get(type(self), self.what_next)
        if self.retryable and self.retry_after is not None:
            usual = f"Try again in {math.ceil(self.retry_after)} seconds."
        return self.vendor.fill(self.operation_advice or self.args[1] or usual)


class Unreachable(ServiceError):
    """No connection, no answer, or not in time."""

    retryable = True
    what_next = f"{AGAIN} check the network and {BASE_URL}."
    how: Failing = "lost"

    def __init__(self, problem: str, advice: str = "", *, how: Failing | None = None) -> None:
        super().__init__(problem, advice)
        self.how = how or self.how
        self.leaves_doubt = self.how != "not sent"


class Misconfigured(Unreachable):
    """A proxy or a certificate that the environment names cannot be used."""

    retryable = False
    how = "not sent"
    what_next = "Check the variable: correct or unset it, then restart the server."


class OutOfTime(Unreachable):
    """A call has no time left in which the service could answer."""

    how = "not sent"
    what_next = f"{AGAIN} ask for less at once."


class UnusableAnswer(ServiceError):
    """An answer that is not what the service promises."""

    retryable = True
    leaves_doubt = True
    what_next = f"{AGAIN} tell the user that the service does not answer as it should."


class NeverUsable(UnusableAnswer):
    """An answer that will be the same the next time: a redirect, or one without end."""

    retryable = False


class FileFailed(UnusableAnswer):
    """The file of a run's people could not be had; its pages are another way to them."""

    what_next = f"{AGAIN} download the file in the Leadpipe dashboard."


class NotDone(ServiceError):
    """The request failed, and a look afterwards shows that nothing was changed."""

    retryable = True
    what_next = "It can be tried again."


class Unclear(ServiceError):
    """The request failed, and a look afterwards could not tell what was changed."""

    what_next = "Look at what is there before trying again."


class RequestRefused(ServiceError):
    """The service rejects the request (400, 422)."""

    what_next = "Change what it names, then call again."


class OutOfCredits(ServiceError):
    """The account has too few credits (402, or any refusal that names credits)."""

    what_next = (
        "Someone has to buy credits, or wait for new ones: get_account_status shows when they come."
        " Trying again before does not help."
    )


class KeyRefused(ServiceError):
    """The API key is wrong (401)."""

    what_next = (
        "LEADPIPE_API_KEY must hold a current key (Settings > API Keys in the Leadpipe dashboard);"
        " a regenerated key replaces the old one at once. Restart the server after changing it; on"
        " a team's server, change the key that your client sends, or tell whoever runs it."
    )


class Forbidden(ServiceError):
    """The key is good, but may not do this (403)."""

    what_next = "Someone who administers the Leadpipe organization has to allow it."


class OrganizationInactive(Forbidden):
    """The organization's subscription is not active."""

    what_next = (
        "The subscription has to be renewed in the Leadpipe dashboard; the key itself is fine."
    )


class SlotsFull(Forbidden):
    """Every audience slot is taken."""

    what_next = "Pause an active audience to free a slot, then activate again."


class NotFound(ServiceError):
    """There is no such thing (404)."""

    what_next = "Check the id; list_audiences shows those that exist."


class WrongAddress(NotFound):
    """The API is not at this address: something else answers, or not even its lists are there."""

    what_next = (
        "The address of the service looks wrong: check LEADPIPE_BASE_URL, its host and its path,"
        " then restart the server."
    )


class Conflict(ServiceError):
    """The thing's present state does not allow it (409)."""

    what_next = "Look at its present state first; get_audience shows that of an audience."


class NotReady(Conflict):
    """The thing is being filled, and can be neither read nor changed until that ends."""

    what_next = "Wait until it is filled: try again in a minute or two."


class TooManyRequests(ServiceError):
    """The service asks for a pause (429)."""

    retryable = True
    what_next = "Try again in a minute."


class ServiceDown(ServiceError):
    """The service failed (408, 5xx)."""

    retryable = True
    leaves_doubt = True
    what_next = "The fault is on the service's side. Try again in a minute."
