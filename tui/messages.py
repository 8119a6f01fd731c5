"""What the parts of the dashboard tell one another."""

from __future__ import annotations

from textual.message import Message

from tui.feed import Picture


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
