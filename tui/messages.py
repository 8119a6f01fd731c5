"""What the parts of the dashboard tell one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tui.feed import Picture

if TYPE_CHECKING:
    from runners.sample import Sample
    from tui.subject import Unsaved


class PictureTaken(Message):
    """The store says something new."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture

    def can_replace(self, message: Message) -> bool:
        """A picture is whole: one that nobody has looked at yet is of no use beside a newer one."""
        return isinstance(message, PictureTaken)


class OpenRun(Message):
    """The person wants to see the run with the id `run`."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run


class OpenRuns(Message):
    """The person wants to go back to the runs."""


class OpenLaunch(Message):
    """The person wants to launch something."""


class OpenCheck(Message):
    """The person wants to know whether work can run on a resource, as a profile of it.

    Without a `profile` it is the only one, or one that the person chooses. What is `unsaved` is checked in
    place of what the files hold by then.
    """

    def __init__(
        self,
        resource: str,
        profile: str | None = None,
        *,
        unsaved: Unsaved | None = None,
        sample: Sample | None = None,
    ) -> None:
        super().__init__()
        self.resource = resource
        self.profile = profile
        self.unsaved = unsaved
        self.sample = sample


class OpenField(Message):
    """The person wants to edit a resource, or one of its profiles, beginning with one of the fields."""

    def __init__(self, resource: str, profile: str | None, field: str = "") -> None:
        """*profile* is None where it is the resource; *field* is a dotted path, empty for the first one."""
        super().__init__()
        self.resource = resource
        self.profile = profile
        self.field = field
