"""What the lab says when it can't do something."""


class LabError(Exception):
    """The lab can't be had, or can't do what was asked; the text is one sentence."""
