"""Saying no."""


class RefusalError(Exception):
    """A request can't be carried out; the text is one sentence for the person who asked."""
