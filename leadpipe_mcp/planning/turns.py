"""Turns: how far a "not" reaches in a sentence, and what it turns round."""

from dataclasses import dataclass

from leadpipe_mcp.planning.wishes import Joint


@dataclass
class Turn:
    """A 'not' that is still in force."""

    start: int
    """Where in the sentence it stands."""
    long: bool
    """Whether it goes on over commas."""
    keys: frozenset[str] = frozenset()
    """The filters of what it turned so far; it goes on over those alone."""
    used: bool = False
    paused: bool = False
    """Whether a comma stands between it and what comes next."""
    blind: bool = False
    """Whether it turned something that is no filter, so that nothing tells what it is of."""

    def spend(self) -> None:
        """Let it have turned what is no filter: "no students"."""
        self.used = self.blind = True

    def reaches(self, keys: frozenset[str], joint: Joint, *, follows: bool) -> bool:
        """Whether it turns a wish of these filters as well.

        Args:
            keys: The filters that the wish can be said with.
            joint: What stands before it.
            follows: Whether it follows that joint at once: "no students or interns", but not
                "no students and with a phone".
        """
        if not self.used:
            return True
        if self.blind:
            return follows and (joint in {"or", "and"} or (joint == "," and self.long))
        listed = follows and joint in {"or", "and"}
        return listed or (joint != "" and bool(self.keys & keys))

    def turn(self, keys: frozenset[str]) -> None:
        """Let it turn a wish of these filters."""
        self.keys, self.used, self.blind = keys, True, False
