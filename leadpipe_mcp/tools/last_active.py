"""What audiences were like when they were last active: what their human last agreed to."""

from collections import OrderedDict

from leadpipe_mcp.api.models import Audience

MOST_REMEMBERED = 500


class LastActive:
    """The audiences that this server has seen active, as they were then."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, Audience] = OrderedDict()

    def note(self, audience: Audience) -> None:
        """Remember the audience, if it is active and the service shows what it is made of."""
        if audience.status != "active" or audience.config is None:
            return
        self._seen[audience.id] = audience
        self._seen.move_to_end(audience.id)
        while len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)

    def of(self, audience_id: str) -> Audience | None:
        """Return the audience as it was; None if it was not seen active."""
        return self._seen.get(audience_id)
