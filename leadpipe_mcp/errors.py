"""Why something was not done, and what can be done about it.

LeadpipeError
├── NotConfigured            there is no API key
├── NotPossible              what was asked cannot be said to the service; nothing was sent
├── AllowanceSpent           a piece of work has made all the requests that it may make
└── ServiceError             the service was asked, and did not do it
    ├── Unreachable          no connection, no answer, or not in time
    │   ├── Misconfigured    a variable of the environment keeps from connecting
    │   └── OutOfTime        no time was left to ask
    ├── UnusableAnswer       an answer that is not what the service promises
    │   ├── FileFailed       the file of a run's people; its pages are another way
    │   └── Hopeless         it will be no other the next time: a redirect, or no end
    ├── NotDone              it failed, and a look afterwards shows that nothing was changed
    ├── Unclear              it failed, and a look afterwards could not tell what was changed
    ├── RequestRefused       400, 422: the service does not take the request
    ├── OutOfCredits         402, or whatever names credits
    ├── KeyRefused           401
    ├── Forbidden            403
    │   ├── OrganizationInactive
    │   └── SlotsFull
    ├── NotFound             404
    │   └── WrongAddress     ... and not about what was asked for: the API is not there
    ├── Conflict             409
    │   └── NotReady         the thing is being filled
    ├── TooManyRequests      429
    └── ServiceDown          5xx

Every error says the problem and the advice in sentences that a person, or a model that helps one,
can act on. `retryable` tells whether the same request can succeed later.
"""

import math
from typing import Literal

LOOK_FIRST = "Whether the service did what was asked is unknown: look before trying again."
"""The advice after a change whose answer was lost."""

AGAIN = "Try again in a minute; if it stays so,"
"""How an advice begins that goes on with what to check."""

NOT_OFFERED = (
    "The service answers other requests but does not offer this one: tell the user; trying again"
    " does not help."
)
"""The advice after a 404 of a route that is not about a single thing."""

Failing = Literal["not sent", "late", "lost"]
"""How a request failed on its way: it never left, its answer is late, or it was lost."""


class LeadpipeError(Exception):
    """Something that was asked for was not done."""

    retryable = False

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem, advice)
        self.problem = problem
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.problem} {self.advice}".strip()


class NotConfigured(LeadpipeError):
    """There is no API key."""

    def __init__(
        self,
        problem: str = "No Leadpipe API key is set, so nothing was asked of the service.",
        advice: str = (
            "Set LEADPIPE_API_KEY (a key starts with sk_; Settings > API Keys in the Leadpipe"
            " dashboard) and restart the server. To try everything with invented people and no"
            " key, start it with --sandbox."
        ),
    ) -> None:
        super().__init__(problem, advice)


class NotPossible(LeadpipeError, ValueError):
    """What was asked cannot be said to the service; nothing was sent.

    Also a ValueError, so that a pydantic validator may raise it.
    """


class AllowanceSpent(LeadpipeError):
    """A piece of work has made all the requests that it may make; this one was not sent."""

    def __init__(self) -> None:
        super().__init__("The requests that one call may make are used up.")


class ServiceError(LeadpipeError):
    """The service was asked, and did not do it."""

    what_next = ""
    leaves_doubt = False
    """Whether a change that was asked for may have been made all the same."""

    def __init__(
        self,
        problem: str,
        advice: str = "",
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(problem, advice or self.what_next)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        """After how many seconds the service wants to be asked again."""


class Unreachable(ServiceError):
    """No connection, no answer, or not in time."""

    retryable = True
    what_next = f"{AGAIN} check the network and LEADPIPE_BASE_URL."

    def __init__(self, problem: str, advice: str = "", *, how: Failing = "lost") -> None:
        super().__init__(problem, advice)
        self.how: Failing = how
        self.leaves_doubt = how != "not sent"


class Misconfigured(Unreachable):
    """A proxy or a certificate that the environment names cannot be used; nothing was sent."""

    retryable = False
    what_next = "Check the variable: correct or unset it, then restart the server."

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem, advice, how="not sent")


class OutOfTime(Unreachable):
    """A call has no time left in which the service could answer; nothing was sent."""

    what_next = f"{AGAIN} ask for less at once."

    def __init__(
        self,
        problem: str = "The service was so slow that no time is left; this step was not begun.",
        advice: str = "",
    ) -> None:
        super().__init__(problem, advice, how="not sent")


class UnusableAnswer(ServiceError):
    """An answer that is not what the service promises."""

    retryable = True
    leaves_doubt = True
    what_next = f"{AGAIN} tell the user that the service does not answer as it should."


class Hopeless(UnusableAnswer):
    """An answer that will be no other the next time: a redirect, or one without end."""

    retryable = False


class FileFailed(UnusableAnswer):
    """The file of a run's people did not come, or is none; its pages are another way to them."""

    what_next = f"{AGAIN} download the file in the Leadpipe dashboard."


class NotDone(ServiceError):
    """The request failed, and a look afterwards shows that nothing was changed."""

    retryable = True
    what_next = "It can be tried again."


class Unclear(ServiceError):
    """The request failed, and a look afterwards could not tell what was changed."""

    what_next = "Look at what is there before trying again."


class RequestRefused(ServiceError):
    """The service does not take the request."""

    what_next = "Change what it names, then call again."


class OutOfCredits(ServiceError):
    """The account has too few credits."""

    what_next = (
        "Someone has to buy credits, or wait for new ones: get_account_status shows when they come."
        " Trying again before does not help."
    )


class KeyRefused(ServiceError):
    """The API key is wrong."""

    what_next = (
        "LEADPIPE_API_KEY must hold a current key (Settings > API Keys in the Leadpipe dashboard);"
        " a regenerated key replaces the old one at once. Restart the server after changing it."
    )


class Forbidden(ServiceError):
    """The key is good, but may not do this."""

    what_next = "Someone who administers the Leadpipe organization has to allow it."


class OrganizationInactive(Forbidden):
    """The organization's subscription does not run."""

    what_next = (
        "The subscription has to be renewed in the Leadpipe dashboard; the key itself is fine."
    )


class SlotsFull(Forbidden):
    """Every audience slot is taken."""

    what_next = "Pause an active audience to free a slot, then activate again."


class NotFound(ServiceError):
    """There is no such thing."""

    what_next = "Check the id; list_audiences shows those that exist."


class WrongAddress(NotFound):
    """Something else than the API answers, or nothing of it is where it was looked for."""

    what_next = (
        "The address of the service looks wrong: check LEADPIPE_BASE_URL, its host and its path,"
        " then restart the server."
    )


class Conflict(ServiceError):
    """The thing's present state does not allow it."""

    what_next = "Look at its present state first; get_audience shows that of an audience."


class NotReady(Conflict):
    """The thing is being filled, and can be neither read nor changed meanwhile."""

    what_next = "Wait until it is filled: try again in a minute or two."


class TooManyRequests(ServiceError):
    """The service wants a pause."""

    retryable = True

    def __init__(
        self,
        problem: str,
        *,
        retry_after: float | None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            problem,
            f"Try again {when(retry_after)}.",
            status=429,
            code=code,
            request_id=request_id,
            retry_after=retry_after,
        )


class ServiceDown(ServiceError):
    """The service failed."""

    retryable = True
    leaves_doubt = True
    what_next = "The fault is on the service's side. Try again in a minute."


def when(seconds: float | None) -> str:
    """When to try again, as the end of a sentence."""
    return "in a minute" if seconds is None else f"in {math.ceil(seconds)} seconds"
