"""How a look at Sonarly tells whether a change was made, when its own answer does not."""

from dataclasses import dataclass

from leadpipe_mcp.api.answers import Answer
from leadpipe_mcp.api.sonarly_models import Folder, LinkedinAudience, Navigation, Overview
from leadpipe_mcp.errors import Unclear
from leadpipe_mcp.text import clean, listed

# Two clocks may differ by so much.
SKEW_SECONDS = 600
MOST_NAMED = 5


@dataclass(frozen=True)
class Wanted:
    """How an audience should be after a change; None leaves it as it was, "" is none."""

    name: str | None = None
    description: str | None = None
    folder_id: str | None = None

    def is_met_by(self, audience: LinkedinAudience) -> bool:
        """Whether the audience looks like that, in what it shows."""
        pairs = [
            (self.name, audience.name),
            (None if self.hidden_in(audience) else self.description, audience.description),
            (self.folder_id, audience.folder_id),
        ]
        return all(
            wanted is None or wanted.strip() == (seen or "").strip() for wanted, seen in pairs
        )

    def hidden_in(self, audience: LinkedinAudience) -> bool:
        """Whether a new description may be there, though it is not shown; no folder is none."""
        return bool(self.description) and "description" not in audience.model_fields_set

    def seen_in(self, audience: LinkedinAudience) -> LinkedinAudience | None:
        """The audience if a look shows that it is so; None if it is otherwise.

        Raises:
            Unclear: If it does not show what was to be changed.
        """
        if not self.is_met_by(audience):
            return None
        if self.hidden_in(audience):
            raise Unclear("Sonarly does not show the description.")
        return audience

    def confirmed_by(self, answer: Answer) -> LinkedinAudience:
        """The audience of an answer that shows the change."""
        audience = answer.read(LinkedinAudience)
        if not self.is_met_by(audience):
            raise answer.unusable("the audience it shows has not changed as asked")
        return audience


def newcomer(before: Overview, after: Overview, name: str, since: float) -> LinkedinAudience | None:
    """The one audience of this name that was made since then; None where none was.

    Raises:
        Unclear: If there is one, or several, that need not be it, or if not all could be seen.
    """
    known = {audience.id for audience in before.audiences}
    fresh = [a for a in after.audiences if a.id not in known and a.name.strip() == name.strip()]
    made = [audience.made_since(since - SKEW_SECONDS) for audience in fresh]
    # A date that cannot be read is no doubt where all that was there before is known.
    if len(fresh) == 1 and (made[0] or (made[0] is None and before.complete)):
        return fresh[0]
    if fresh:
        ids = listed([clean(audience.id, 40) for audience in fresh[:MOST_NAMED]], "or")
        raise Unclear(f"It may be the audience with the id {ids}.")
    if not after.complete:
        raise Unclear("Not all audiences could be looked at; among those seen it is not.")
    return None


def new_folder(before: Navigation, after: Navigation, name: str) -> Folder | None:
    """The one folder of this name that is new; None where there is none.

    Raises:
        Unclear: If several may be new, or if not all folders are seen.
    """
    known = {folder.id for folder in before.folders}
    fresh = [f for f in after.folders if f.id not in known and f.name.strip() == name.strip()]
    if len(fresh) == 1 and before.complete:
        return fresh[0]
    if fresh:
        ids = listed([clean(folder.id, 40) for folder in fresh[:MOST_NAMED]], "or")
        raise Unclear(f"It may be the folder with the id {ids}.")
    if not after.complete:
        raise Unclear("Not all folders could be read; among those that could it is not.")
    if all(folder.audiences for folder in after.folders):
        raise Unclear("It is not among the folders, but an empty one may not be shown.")
    return None


def named_folder(navigation: Navigation, folder_id: str, name: str) -> Folder | None:
    """The folder if it has this name; None if it has another.

    Raises:
        Unclear: If it is not shown.
    """
    folder = next((folder for folder in navigation.folders if folder.id == folder_id), None)
    if folder is None:
        raise Unclear("The folder is not shown now.")
    return folder if folder.name.strip() == name.strip() else None
