"""get_account_status: whether the account works, and what is free."""

from pydantic import Field

from leadpipe_mcp.api.models import Account, Slots
from leadpipe_mcp.text import clean, counted
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools.replies import NAME_LENGTH, Part
from leadpipe_mcp.tools.services import Call


class GetAccountStatus(Arguments):
    """No arguments."""


class CreditPart(Part):
    """Identification credits."""

    used: int | None = None
    limit: int | None = None
    remaining: int | None = None
    resets_at: str | None = None


class SlotCounts(Part):
    """Audience slots: how many audiences may be active."""

    used: int
    limit: int
    free: int


class PixelPart(Part):
    """Tracking pixels."""

    total: int | None = None
    active: int | None = None
    paused: int | None = None


class AccountStatus(Reply):
    """The state of the account."""

    healthy: bool | None = None
    organization: str | None = None
    organization_status: str | None = Field(default=None, description="Such as trial or expired.")
    slots: SlotCounts | None = None
    credits: CreditPart | None = None
    pixels: PixelPart | None = None


@tool("Show the account", reads=True)
async def get_account_status(call: Call, asked: GetAccountStatus) -> AccountStatus:  # noqa: ARG001 -- every tool is called alike
    """Check the account: API key, subscription, free audience slots and remaining credits.

    Use it when a call is refused, or before activating an audience. It tells a wrong key from an
    expired subscription.
    """
    account = await call.leadpipe.account()
    organization, slots = account.organization, account.slots
    return AccountStatus(
        summary=" ".join([_health(account), *_counts(account)]),
        healthy=account.healthy,
        organization=clean(organization.name, NAME_LENGTH) if organization.name else None,
        organization_status=organization.status,
        slots=_slots(slots) if slots else None,
        credits=CreditPart.model_validate(account.credits, from_attributes=True)
        if account.credits
        else None,
        pixels=PixelPart.model_validate(account.pixels, from_attributes=True)
        if account.pixels
        else None,
        warnings=None if slots else ["The service does not show how many audience slots are free."],
    )


def _health(account: Account) -> str:
    status = account.organization.status
    # Only what the service itself calls unhealthy is called that.
    if account.healthy is not False:
        return f"The key works and the organization is {status or 'in good standing'}."
    return (
        f"The key is right, but the organization is {status or 'not healthy'}: audiences cannot be"
        " used until the subscription is renewed in the Leadpipe dashboard."
    )


def _counts(account: Account) -> list[str]:
    said: list[str] = []
    if account.slots:
        said.append(f"{account.slots.free} of {counted(account.slots.limit, 'slot')} free.")
    if account.credits and account.credits.remaining is not None:
        said.append(f"{counted(account.credits.remaining, 'credit')} left.")
    return said


def _slots(slots: Slots) -> SlotCounts:
    return SlotCounts(used=slots.used, limit=slots.limit, free=slots.free)
