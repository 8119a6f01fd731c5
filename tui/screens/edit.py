"""Edit: a form for a resource or a profile; beside it its JSON, and the plan and script of a sample."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
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
from tui.forms.draft import Draft
from tui.forms.spec import PROFILE_SPEC, RESOURCE_SPEC, Path
from tui.messages import OpenCheck
from tui.preview import Preview, SampleTyped, preview
from tui.screens.confirm import Confirm
from tui.screens.page import Page
from tui.standing import clock
from tui.subject import Subject, companions, current_fingerprint
from tui.widgets.beside import Beside, Pane
from tui.widgets.edit_title import EditState, EditTitle
from tui.widgets.form.about import about
from tui.widgets.form.form import Form
from tui.widgets.json_pane import JsonPane
from tui.widgets.paragraph_view import ParagraphView

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
        Binding("f3", "pane('json')", "JSON", id="edit.json", key_display="F3", tooltip="The JSON text"),
        Binding("f4", "pane('plan')", "plan", id="edit.plan", key_display="F4", tooltip="The sample's plan"),
        Binding(
            "f5",
            "pane('script')",
            "script",
            id="edit.script",
            key_display="F5",
            tooltip="The sample's script",
        ),
        Binding(
            "f7",
            "difference",
            "difference",
            id="edit.difference",
            key_display="F7",
            show=False,
            tooltip="What differs from the file as it is now",
        ),
        Binding(
            "f8",
            "check",
            "check",
            id="edit.check",
            key_display="F8",
            tooltip="Ask the real cluster about what is typed, saved or not",
        ),
    ]

    def __init__(self, subject: Subject, field: str = "", kept: Kept | None = None) -> None:
        """*field* is the dotted path of the field to begin with; empty: the first one.

        *kept* is what was typed the last time and not saved.
        """
        super().__init__()
        self.subject = subject
        spec = RESOURCE_SPEC if subject.profile is None else PROFILE_SPEC
        if subject.new:
            self.draft = Draft(spec, subject.document)
        else:
            self.draft = Draft(spec, subject.document, saved=subject.document)
        self._field = field
        self._kept = kept
        self._pause: Timer | None = None
        self._previewing = False
        self._previewed: tuple[int, SampleTyped] | None = None
        self._no_plan = False
        self._at: Path = ()
        self._json_of = 0
        """The revision of the draft that the JSON says, or would say if it were not broken."""
        self._opened_text = ""
        """What stands in the JSON where the file held none."""
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
        self._file = DraftFile(self.dashboard.home)
        self.form.show(self.draft)
        if self.subject.text:
            self._show_broken()
        else:
            self.beside.json.show(self.draft.document)
            self.go_to(self._field)
        if self._kept is not None:
            self._take_up(self._kept)
        self._say()
        self._follow_soon()
        self.set_interval(LOOK_S, self._look)

    def _take_up(self, kept: Kept) -> None:
        """Go on from what was typed the last time; undo takes it away."""
        self._replace(kept.document)
        if kept.text:
            self.beside.json.show_text(kept.text)
        else:
            self.beside.json.show(self.draft.document)
        when = clock(kept.written, self.dashboard.now())
        words = f"What was typed until {when} and not saved is back; ctrl+z takes it away."
        # Not before this page is the one in front.
        self.call_after_refresh(self.dashboard.tell, words)

    def _show_broken(self) -> None:
        """The text of a file that is no JSON."""
        json = self.beside.json
        json.show_text(self.subject.text)
        self._opened_text = json.text
        # With a sign in place of what is no UTF-8 it may be JSON all the same.
        if (document := json.document()) is not NOTHING:
            self._take(document)
        self._show_pane(Pane.JSON)

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
        return self.subject.new or self.draft.changed() or self.beside.json.broken

    def go_to(self, field: str) -> None:
        """To the field with this dotted path; empty: the first one."""
        self._show_form()
        self.form.go_to(self.draft.path_of(field) if field else ())

    # What is typed

    @on(Form.Changed)
    def _typed(self) -> None:
        if self.beside.json.has_focus_within:
            self._follow_json()
        self._follow_soon()
        self._say()

    def on_descendant_focus(self) -> None:
        """Who goes on in the JSON goes on from what was typed in the form, however fast they are."""
        if self.beside.json.has_focus_within:
            self._follow_json()

    @on(JsonPane.Edited)
    def _json_typed(self, event: JsonPane.Edited) -> None:
        self._take(event.document)

    @on(JsonPane.Broke)
    def _json_broke(self) -> None:
        self._follow_soon()
        self._say()

    def _take(self, document: object) -> None:
        """Go on with this document, which is what the JSON says."""
        if self._json_of != self.draft.revision:
            told = "The JSON counts as it stands; ctrl+z in the form brings back what was changed there."
            self.dashboard.tell(told, wrong=True)
        self._replace(document)
        self._follow_soon()
        self._say()

    def _replace(self, document: object) -> None:
        """Have the form edit another document, which the JSON says, or is about to."""
        self.draft.replace(document)
        self._json_of = self.draft.revision
        self.form.refresh_from_draft()

    def _catch_up(self) -> None:
        """Take what is typed in the JSON now: its message may still be on the way."""
        if self.beside.json.has_focus_within:
            document = self.beside.json.document()
            if document is not NOTHING:
                self._take(document)

    @on(JsonPane.Left)
    def _json_left(self) -> None:
        self._show_form()
        self.form.focus_field()

    @on(Form.FieldFocused)
    def _focused(self, event: Form.FieldFocused) -> None:
        self._at = event.path
        self._tell()

    @on(Beside.SampleChanged)
    def _sample_changed(self) -> None:
        self._follow_soon()

    def _follow_soon(self) -> None:
        """Have what stands beside the form follow, once nobody types."""
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._follow)

    def _follow_json(self) -> None:
        if self._json_of != self.draft.revision and not self.beside.json.broken:
            self._json_of = self.draft.revision
            self.beside.json.show(self.draft.document)

    def _follow(self) -> None:
        self._follow_json()
        if not self.dashboard.read_only:
            self.begin(self._keep, group="keep")
        if not self._previewing:
            self._previewing = True
            self.begin(self._preview, group="preview")

    async def _preview(self) -> None:
        """Preview until it is of what is typed. Only one at a time: a thread can't be called back."""
        try:
            while True:
                asked = (self.draft.revision, self.beside.sample)
                if asked == self._previewed:
                    return
                found = await asyncio.to_thread(self._made_of, asked[1])
                self._previewed = asked
                self.beside.show(found)
                self._no_plan = bool(self.draft.model) and found.plan is None
                self._say()
        finally:
            self._previewing = False

    def _made_of(self, sample: SampleTyped) -> Preview:
        resource, profile = companions(self.dashboard.home, self.subject, self.draft.model)
        return preview(resource, profile, sample)

    # What the keys do

    def action_pane(self, name: str) -> None:
        """Show a pane, and go to it; from there back to the form."""
        pane = Pane(name)
        if self.beside.pane is pane and self.beside.has_focus_within:
            self._show_form()
            self.form.focus_field()
        else:
            self._show_pane(pane)

    def _show_pane(self, pane: Pane) -> None:
        self.beside.turn_to(pane)
        self.add_class("-beside")
        self.beside.focus_pane()

    def _show_form(self) -> None:
        self.remove_class("-beside")

    def action_save(self) -> None:
        """Show the difference, then save."""
        if self.dashboard.refuses_changes() or self._is_writing():
            return
        self._catch_up()
        if self.beside.json.broken:
            self.dashboard.tell("Nothing was saved: the text is no JSON, see the line below it.", wrong=True)
            self._show_pane(Pane.JSON)
            return
        if self.draft.errors:
            self._show_form()
            self.form.touch_all()
            first = next(iter(self.draft.errors))
            self.form.go_to(first)
            count = len(self.draft.errors)
            faults = "1 field has an error" if count == 1 else f"{count} fields have errors"
            self.dashboard.tell(f"Nothing was saved: {faults}.", wrong=True)
            self._say()
            return
        saving.save(self)

    def action_difference(self) -> None:
        """What differs from the file as it is now."""
        if self._is_writing():
            return
        self._catch_up()
        json = self.beside.json
        if json.broken and json.text != self._opened_text:
            # Taking theirs from there would lose it, and it can't be compared as a document.
            self.dashboard.tell(
                "No difference is shown: the text is no JSON, see the line below it.", wrong=True
            )
            self._show_pane(Pane.JSON)
            return
        saving.compare(self)

    def _is_writing(self) -> bool:
        if self.writing:
            self.dashboard.tell("It is just being saved; try again in a moment.")
        return self.writing

    def action_check(self) -> None:
        """Ask the cluster about what is typed."""
        self._catch_up()
        if self.draft.errors or self.beside.json.broken:
            self.form.touch_all()
            self.dashboard.tell("It can be checked once its fields have no errors.", wrong=True)
            return
        subject, document = self.subject, self.draft.document
        try:
            sample = self.beside.sample.read()
        except ConfigError:
            # What is typed of it can't be read: the usual one, then.
            sample = None
        self.dashboard.post_message(
            OpenCheck(
                subject.resource,
                subject.profile,
                resource_document=document if subject.profile is None else None,
                profile_document=None if subject.profile is None else document,
                sample=sample,
            )
        )

    def action_back(self) -> None:
        """From a pane to the form; from there away."""
        if self.beside.has_focus_within or self.has_class("-beside"):
            self._show_form()
            self.form.focus_field()
            return
        self.leave(self._go)

    def _go(self) -> None:
        # Not this page's own worker, which would end together with it. Who presses twice leaves once.
        dismiss: Callable[[], object] = self._dismiss
        self.app.run_worker(dismiss, group="leave", exclusive=True, exit_on_error=False)

    async def _dismiss(self) -> None:
        await self.give_up()
        self.dismiss()

    def leave(self, then: Callable[[], object]) -> None:
        """See :class:`Edits`."""
        self._catch_up()
        if not self.unsaved:
            then()
            return

        def question() -> str:
            return f"Leave {self.subject.words} without saving?"

        def answered(yes: bool | None) -> None:
            if yes:
                then()

        more = (
            "What was typed is lost then. To save it, stay and press ctrl+s."
            if self.draft.changed() or self.beside.json.broken
            else "It is not saved yet."
        )
        self.app.push_screen(Confirm(question, yes="Leave", no="Stay", more=more), answered)

    async def _keep(self) -> None:
        """Keep what is typed and not saved, for when the terminal goes away."""
        if not self.is_attached:
            # The application closes: what was kept last is for the next time.
            return
        json, subject, draft = self.beside.json, self.subject, self.draft
        begun = subject.new and draft.document != subject.document
        if draft.changed() or begun or json.broken:
            await self._file.keep(subject, draft.document, json.text if json.broken else "")
        else:
            await self._file.drop(subject)

    async def give_up(self) -> None:
        """See :class:`Edits`. Also what was kept before it was saved, or taken back, is dropped."""
        if not self.dashboard.read_only:
            await self._file.give_up(self.subject)

    # What the page says

    def saved(self, subject: Subject) -> None:
        """It is saved as *subject* has it; what was typed since then is not."""
        self.subject = subject
        self.draft.mark_saved(subject.document)
        self.elsewhere = False
        self._follow_json()
        self.form.refresh_from_draft()
        self._follow_soon()
        self._say()

    def taken(self, subject: Subject) -> None:
        """Go on with what is in the file; undo brings back what was typed."""
        self._go_on(subject, subject.document)
        if subject.text:
            self._show_broken()

    def joined(self, subject: Subject, document: object) -> None:
        """Go on with what was changed in the file and here; undo brings back what was typed."""
        self._go_on(subject, document)

    def _go_on(self, subject: Subject, document: object) -> None:
        """Edit *document* from now on; what is saved is what *subject* says."""
        self.subject = subject
        self.elsewhere = False
        self.draft.mark_saved(subject.document)
        self._replace(document)
        self.beside.json.show(self.draft.document)
        self._follow_soon()
        self._say()

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
        draft, json = self.draft, self.beside.json
        state = EditState(
            self.subject,
            changed=draft.changed(),
            errors=len(draft.errors),
            elsewhere=self.elsewhere,
            broken=json.broken,
            no_plan=self._no_plan,
        )
        self.query_one(EditTitle).show(state)
        where, fault = next(iter(draft.errors.items()), ((), ""))
        # The line is short: the field and what it is part of.
        name = ".".join(draft.dotted(where).split(".")[-2:])
        json.tell_fault(f"{name} {fault}".strip())
        self._tell()

    def _tell(self) -> None:
        self.query_one("#edit-about", ParagraphView).tell(about(self.draft, self._at))
