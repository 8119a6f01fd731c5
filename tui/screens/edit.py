"""Edit: a form for a resource or a profile; beside it its JSON, and the plan and script of a sample."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from runners.config.errors import ConfigError
from runners.config.json_text import NOTHING
from tui import saving
from tui.drafts import DraftFile, Kept
from tui.forms.draft import MISSING, Draft
from tui.forms.spec import PROFILE_SPEC, RESOURCE_SPEC, Path
from tui.json_in_step import JsonInStep
from tui.leaving import leave
from tui.messages import OpenCheck
from tui.open_pages import unsaved_of
from tui.preview import Asked, Preview, Previewer
from tui.screens.confirm import Confirm
from tui.screens.page import Page
from tui.standing import clock
from tui.subject import Subject, current_fingerprint
from tui.widgets.beside import Beside, Pane
from tui.widgets.edit_title import EditState, EditTitle
from tui.widgets.form.about import about
from tui.widgets.form.form import Form
from tui.widgets.json_pane import JsonPane
from tui.widgets.paragraph_view import ParagraphView
from tui.widgets.typed import Typed

PAUSE_S = 0.12
"""How long nobody types before what stands beside the form follows."""

LOOK_S = 2.0
"""Between two looks whether somebody has edited the file elsewhere."""


class EditPage(Page):
    """The form. Nothing is written before ctrl+s, and then only after the difference was shown."""

    CSS_PATH = "edit.tcss"
    # The form takes the focus itself: the field that the person came for is not always the first.
    AUTO_FOCUS = ""
    CHANGES = frozenset({"save"})
    NAMES: ClassVar[Mapping[str, str]] = {
        "save": "Save, after the difference was shown",
        "back": "Leave the form",
        "pane('json')": "Show the JSON, which can be edited too",
        "pane('plan')": "Show the plan for a sample of work",
        "pane('script')": "Show the script of a sample's first job",
        "difference": "Show what differs from the file",
        "check": "Check what is typed against the real cluster",
    }
    HELP_KEY = "F1"
    HELP_TITLE = "Edit"
    ABOUT = (
        "Every field says what it is in the lines below the form; * marks what is required, • what was "
        "changed. An empty field is not given: what it would be then stands in it. Nothing is written before "
        "ctrl+s, which shows the difference first."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", id="edit.save", tooltip="Show the difference, then save it"),
        Binding("escape", "back", "leave", id="edit.back", tooltip="Leave; asks first if anything changed"),
        Binding(
            "f8",
            "check",
            "check",
            id="edit.check",
            key_display="F8",
            tooltip="Ask the real cluster about what is typed, saved or not",
        ),
        Binding("f3", "pane('json')", "JSON", id="edit.json", key_display="F3", tooltip="The JSON text"),
        Binding("f4", "pane('plan')", "plan", id="edit.plan", key_display="F4", tooltip="The sample's plan"),
        Binding("f5", "pane('script')", "script", id="edit.script", key_display="F5", tooltip="Its script"),
        Binding(
            "f7",
            "difference",
            "difference",
            id="edit.difference",
            key_display="F7",
            show=False,
            tooltip="What differs from the file as it is now",
        ),
    ]

    def __init__(self, subject: Subject, file: DraftFile, field: str = "") -> None:
        """*field* is the dotted path of the field to begin with; empty: the first one.

        *file* was opened: it has what was typed the last time and not saved, and takes what is typed here.
        """
        super().__init__()
        self.subject = subject
        spec = RESOURCE_SPEC if subject.profile is None else PROFILE_SPEC
        self.draft = Draft(spec, subject.document, saved=MISSING if subject.new else subject.document)
        self._field = field
        self._file = file
        self._pause: Timer | None = None
        self._no_plan = False
        self._at: Path = ()
        self.writing = False
        """Whether it is being written at this moment."""
        self.elsewhere = False
        """Whether the file is another one than what was opened or saved here."""

    def compose_body(self) -> Iterable[Widget]:
        """Title; the form and what stands beside it; the field in words."""
        yield EditTitle()
        with Horizontal(id="edit"):
            yield Form()
            yield Beside()
        yield ParagraphView(id="edit-about")

    def on_mount(self) -> None:
        """Begin with the form, or with the text where it is no JSON."""
        self._previewer = Previewer(self.dashboard.home)
        self.json = JsonInStep(self.draft, self.beside.json)
        self.form.show(self.draft)
        if self.subject.text:
            self._show_broken()
        else:
            self.json.show()
            self.go_to(self._field)
        told = []
        if self._file.elsewhere:
            whose = self.subject.words
            told.append(
                f"{whose[0].upper()}{whose[1:]} is open in another dashboard too, with changes that are not "
                "saved there."
            )
        if self._file.kept is not None:
            told.append(self._take_up(self._file.kept))
        if told:
            # Not before this page is the one in front.
            self.call_after_refresh(self.dashboard.tell, " ".join(told))
        self._changed()
        self.set_interval(LOOK_S, self._look)

    async def on_unmount(self) -> None:
        """What is kept of it is for whoever opens it next."""
        await asyncio.to_thread(self._file.let_go)

    def on_screen_resume(self) -> None:
        """What it goes with may be saved by now, or typed, in a form of its own."""
        if self.is_mounted:
            self._previewer.forget()
            self._follow_soon()

    def _take_up(self, kept: Kept) -> str:
        """Go on from what was typed the last time, which is said; undo takes it away."""
        self._replace(kept.document)
        if kept.text:
            self.beside.json.show_text(kept.text)
        else:
            self.json.show()
        when = clock(kept.written, self.dashboard.now())
        if kept.elsewhere:
            return f"What was typed until {when} is back, joined with changes made elsewhere since: see F7."
        return f"What was typed until {when} and not saved is back; ctrl+z takes it away."

    def _show_broken(self) -> None:
        """The text of a file that is no JSON."""
        if (document := self.json.open(self.subject.text)) is not NOTHING:
            self._replace(document)
        self.show_pane(Pane.JSON)

    @property
    def form(self) -> Form:
        """The form."""
        return self.query_one(Form)

    @property
    def beside(self) -> Beside:
        """What stands beside it."""
        return self.query_one(Beside)

    @property
    def unsaved(self) -> bool:
        """Whether leaving would lose anything."""
        return self.subject.new or self.draft.changed() or self.json.half_typed

    @property
    def sound(self) -> bool:
        """Whether what is typed can be used: nothing is wrong with it."""
        return not self.draft.errors and not self.beside.json.broken

    def go_to(self, field: str) -> None:
        """To the field with this dotted path; empty: the first one."""
        self._show_form()
        self.form.go_to(self.draft.path_of(field) if field else ())

    def go_to_error(self) -> None:
        """To the first field with an error; all errors are told from now on."""
        self._show_form()
        self.form.touch_all()
        self.form.go_to(next(iter(self.draft.errors)))
        self._say()

    # What is typed

    @on(Form.Changed)
    def _typed(self) -> None:
        if self.beside.json.has_focus_within:
            self.json.follow()
        self._changed()

    def on_descendant_focus(self) -> None:
        """Who goes on in the JSON goes on from what was typed in the form, however fast they are."""
        # That stays in sight in which one is, also where the terminal is made narrower.
        self.set_class(self.beside.has_focus_within, "-beside")
        if self.beside.json.has_focus_within:
            self.json.begin()

    @on(JsonPane.Edited)
    def _json_typed(self, event: JsonPane.Edited) -> None:
        self._take(event.document)

    def catch_up(self) -> None:
        """Take what is typed in the JSON now: its message may still be on the way."""
        if (document := self.json.typed()) is not NOTHING:
            self._take(document)

    def _take(self, document: object) -> None:
        """Go on with this document, which is what the JSON says."""
        if self.json.behind:
            told = "The JSON counts as it stands; ctrl+z in the form brings back what was changed there."
            self.dashboard.tell(told, wrong=True)
        self._replace(document, typing=True)

    def _replace(self, document: object, *, typing: bool = False) -> None:
        """Have the form edit another document, which the JSON says, or is about to."""
        self.json.replace(document, typing=typing)
        self.form.refresh_from_draft()
        self._changed()

    @on(Typed.MoreLines)
    def _cut(self) -> None:
        self.dashboard.tell("Only the first line of what was pasted is here: a field holds one.", wrong=True)

    @on(Beside.Left)
    def _to_form(self) -> None:
        self._show_form()
        self.form.focus_field()

    @on(Form.FieldFocused)
    def _focused(self, event: Form.FieldFocused) -> None:
        self._at = event.path
        self._tell()

    @on(JsonPane.Broke)
    def _changed(self) -> None:
        """Something is another now: say so, and have all follow that stands beside it."""
        self._follow_soon()
        self._say()

    @on(Beside.SampleChanged)
    def _follow_soon(self) -> None:
        """Have what stands beside the form follow, once nobody types."""
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._follow)

    def _follow(self) -> None:
        self.json.follow()
        if not self.dashboard.read_only:
            self.begin(self._keep, group="keep")
        self.begin(partial(self._previewer.follow, self._asked, self._show_preview), group="preview")

    async def _keep(self) -> None:
        """Keep what is typed and not saved, for when the terminal goes away."""
        # While the application closes, what was kept last is for the next time.
        if self.is_attached:
            json = self.beside.json
            await self._file.follow(self.subject, self.draft, json.text if self.json.half_typed else "")

    def _asked(self) -> Asked:
        unsaved = unsaved_of(self.dashboard, self.subject.resource)
        return Asked(self.subject, self.draft.model, unsaved, self.beside.sample)

    def _show_preview(self, found: Preview) -> None:
        self.beside.show(found)
        self._no_plan = self.draft.model is not None and found.plan is None
        self._say()

    # What the keys do

    def action_pane(self, name: str) -> None:
        """Show a pane, and go to it; from there back to the form."""
        pane = Pane(name)
        if self.beside.pane is pane and self.beside.has_focus_within:
            self._to_form()
        else:
            self.show_pane(pane)
            if pane is Pane.JSON:
                self.json.follow()
                self.beside.json.go_to(self._at)

    def show_pane(self, pane: Pane) -> None:
        """Show a pane, and go to it."""
        self.beside.turn_to(pane)
        self.add_class("-beside")
        self.beside.focus_pane()

    def _show_form(self) -> None:
        self.remove_class("-beside")

    def action_save(self) -> None:
        """Show the difference, then save."""
        saving.save(self)

    def action_difference(self) -> None:
        """What differs from the file as it is now."""
        saving.compare(self)

    def action_check(self) -> None:
        """Ask the cluster about what is typed."""
        if saving.has_faults(self, "Nothing was checked"):
            return
        try:
            sample = self.beside.sample.read()
        except ConfigError:
            # What is typed of it can't be read: the usual one, then.
            sample = None
        unsaved = unsaved_of(self.dashboard, self.subject.resource)
        self.dashboard.post_message(
            OpenCheck(self.subject.resource, self.subject.profile, unsaved=unsaved, sample=sample)
        )

    def action_back(self) -> None:
        """From a pane to the form; from there away."""
        if self.beside.has_focus_within or self.has_class("-beside"):
            self._to_form()
        else:
            leave(self.app, [self], self.dismiss)

    def before_leaving(self) -> Confirm | None:
        """See :class:`Edits`."""
        self.catch_up()
        if not self.unsaved:
            return None
        more = (
            "What was typed is lost then. To save it, stay and press ctrl+s."
            if self.draft.changed() or self.json.half_typed
            else "It is not saved yet."
        )
        words = self.subject.words
        return Confirm(lambda: f"Leave {words} without saving?", yes="Leave", no="Stay", more=more)

    async def give_up(self) -> None:
        """See :class:`Edits`. Also what was kept before it was saved, or taken back, is dropped."""
        if not self.dashboard.read_only:
            await self._file.give_up()

    # What the page says

    def saved(self, subject: Subject) -> None:
        """It is saved as *subject* has it; what was typed since then is not."""
        self.subject = subject
        self.draft.mark_saved(subject.document)
        self.elsewhere = False
        self.json.follow()
        self.form.refresh_from_draft()
        self._changed()

    def go_on(self, subject: Subject, document: object) -> None:
        """Edit *document* from now on; *subject* is what is saved. Undo brings back what was typed."""
        self.subject = subject
        self.elsewhere = False
        self.draft.mark_saved(subject.document)
        self._replace(document)
        self.json.show()
        if subject.text:
            self._show_broken()

    def _look(self) -> None:
        if self.is_current and not self.subject.new:
            self.begin(self._look_elsewhere, group="elsewhere", exclusive=True)

    async def _look_elsewhere(self) -> None:
        subject = self.subject
        now = await asyncio.to_thread(current_fingerprint, self.dashboard.home, subject)
        if subject is not self.subject or self.writing:
            return
        if (now != self.subject.fingerprint) != self.elsewhere:
            self.elsewhere = not self.elsewhere
            self._say()

    def _say(self) -> None:
        """Title, the line below the JSON, and the field in words."""
        state = EditState(
            self.subject,
            changed=self.draft.changed(),
            errors=len(self.draft.errors),
            elsewhere=self.elsewhere,
            broken=self.beside.json.broken,
            no_plan=self._no_plan,
        )
        self.query_one(EditTitle).show(state)
        self.json.tell_fault()
        self._tell()

    def _tell(self) -> None:
        self.query_one("#edit-about", ParagraphView).tell(about(self.draft, self._at))
