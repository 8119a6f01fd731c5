"""Forms and the check: each is open once, and comes to the front where it is asked for again.

So nothing that was typed is left behind in a form that lies below another one of the same file, and the way
back is never longer than there are things to go back to.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import events
from textual.app import App
from textual.screen import Screen

if TYPE_CHECKING:
    from tui.dashboard import Dashboard
    from tui.messages import OpenCheck, OpenField
    from tui.screens.edit import EditPage
    from tui.subject import Subject, Unsaved

# The forms and the check come in when they are needed.


async def open_field(dashboard: Dashboard, asked: OpenField) -> None:
    """Go to a field of a resource or profile: in the form that is open, or in one that is opened.

    Raises:
        ConfigError: there is no such file any more, or it can't be read.
    """
    from tui.screens.check import CheckPage
    from tui.subject import open_subject

    if (form := form_of(dashboard, asked.resource, asked.profile)) is not None:
        if isinstance(dashboard.screen, CheckPage):
            # It has led here: from the form it goes back to where the form was opened.
            await dashboard.pop_screen()
        to_front(dashboard, form)
        form.go_to(asked.field)
        return
    subject = await asyncio.to_thread(open_subject, dashboard.home, asked.resource, asked.profile)
    await dashboard.push_screen(await new_form(dashboard, subject, asked.field))


async def new_form(dashboard: Dashboard, subject: Subject, field: str = "") -> EditPage:
    """A form with what was typed in it the last time and not saved; *field* is the one to begin with."""
    from tui.drafts import DraftFile
    from tui.screens.edit import EditPage

    file = DraftFile(dashboard.home, subject)
    await asyncio.to_thread(file.open, hold=not dashboard.read_only)
    return EditPage(subject, file, field)


def open_forms(dashboard: Dashboard, resource: str, profile: str | None = None) -> list[EditPage]:
    """The open forms of that resource and its profiles, or of the profile that is named only."""
    from tui.screens.edit import EditPage

    return [
        form
        for form in dashboard.screen_stack
        if isinstance(form, EditPage)
        and form.subject.resource == resource
        and profile in (None, form.subject.profile)
    ]


def form_of(dashboard: Dashboard, resource: str, profile: str | None) -> EditPage | None:
    """The open form of that resource itself, or of its profile where one is named."""
    forms = open_forms(dashboard, resource)
    return next((form for form in forms if form.subject.profile == profile), None)


def unsaved_of(dashboard: Dashboard, resource: str) -> Unsaved:
    """What is typed in the open forms of that resource and its profiles.

    Only what can be used and is not saved: else the file counts, which may be newer.
    """
    from tui.subject import Unsaved

    typed = {
        form.subject.profile: form.draft.document
        for form in open_forms(dashboard, resource)
        # One that is just being opened has nothing to tell yet.
        if form.is_mounted and form.unsaved and form.sound
    }
    own = typed.pop(None, None)
    return Unsaved(own, {name: document for name, document in typed.items() if name is not None})


def open_resources(dashboard: Dashboard) -> None:
    """The table of resources: the one that is open, or a new one."""
    from tui.screens.resources import ResourcesPage

    page = next((screen for screen in dashboard.screen_stack if isinstance(screen, ResourcesPage)), None)
    if page is None:
        dashboard.push_screen(ResourcesPage())
    else:
        to_front(dashboard, page)


def open_check(dashboard: Dashboard, asked: OpenCheck) -> None:
    """Check: in the page that is open, which lets go of what it has checked before, or in a new one."""
    from tui.screens.check import CheckPage

    if isinstance(dashboard.page, CheckPage):
        return
    page = next((screen for screen in dashboard.screen_stack if isinstance(screen, CheckPage)), None)
    if page is None:
        dashboard.push_screen(CheckPage(asked))
    else:
        to_front(dashboard, page)
        page.check_instead(asked)


def to_front(app: App[int], screen: Screen[None]) -> None:
    """Put a screen that is somewhere in the stack on top of it; the others stay as they lie."""
    if app.screen is screen:
        return
    app.capture_mouse(None)
    app.screen.post_message(events.ScreenSuspend())
    # In public Textual can push and pop only. What is popped is gone with all that was typed in it, unless it
    # was installed under a name; to get at this screen all above it would have to be popped and pushed again,
    # and a screen that is popped forgets who waits for its result (the table that has opened a form, say).
    stack = app._screen_stack
    stack.remove(screen)
    stack.append(screen)
    screen.post_message(events.ScreenResume())
    app.screen_change_signal.publish(screen)
