"""get_account_status: whether the account works, and what is free."""

from pydantic import Field

from leadpipe_mcp.api.models import Account
from leadpipe_mcp.text import counted
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools.replies import Part, warnings
from leadpipe_mcp.tools.services import Call


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
async def get_account_status(call: Call, asked: Arguments) -> AccountStatus:  # noqa: ARG001 -- every tool is called alike
    """Check the account: API key, subscription, free audience slots and remaining credits.

    Use it when a call is refused, or before activating an audience. It tells a wrong key from an
    expired subscription.
    """
    account = await call.leadpipe.account()
    parts = {name: getattr(account, name) for name in ("healthy", "slots", "credits", "pixels")}
    reply = AccountStatus.model_validate(
        {"summary": _health(account), **parts}, from_attributes=True
    )
    reply.organization = account.organization.name
    reply.organization_status = account.organization.status
    if account.slots:
        free = counted(account.slots.limit, "slot")
        reply.summary += f" {account.slots.free} of {free} free."
    if account.credits and account.credits.remaining is not None:
        reply.summary += f" {counted(account.credits.remaining, 'credit')} left."
    hidden = "The service does not show how many audience slots are free."
    reply.warnings = warnings(None if account.slots else hidden)
    return reply


def _health(account: Account) -> str:
    status = account.organization.status
    # Only what the service itself calls unhealthy is called that.
    if account.healthy is not False:
        return f"The key works and the organization is {status or 'in good standing'}."
    return (
        f"The key is right, but the organization is {status or 'not healthy'}: audiences cannot be"
        " used until the subscription is renewed in the Leadpipe dashboard."
    )
