"""How the clusters in use stand: reachable or not, what runs and waits there, how old that is. Pure.

Imports no textual: the command line tells the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runners.config.units import format_about
from runners.states import State
from runners.store.rows import Counts, PlaceRow, RunRow
from tui.signs import Sign, sign

ANSWER_KEY = "F2"
"""What a person presses to be shown an open question."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One resource with one profile."""

    resource: str
    profile: str
    place: PlaceRow | None
    """None where nobody has tried to reach it."""
    running: int
    """Batches."""
    pending: int
    """Batches; those of which nobody can tell are in neither."""

    @property
    def name(self) -> str:
        """What a person calls it; untrusted."""
        return f"{self.resource} as {self.profile}" if self.profile else self.resource

    @property
    def asks(self) -> bool:
        """Whether it waits for a person's answer."""
        return self.place is not None and self.place.question > 0

    @property
    def troubled(self) -> bool:
        """Whether a person should look at it."""
        return self.asks or (self.place is not None and self.place.up is False)

    @property
    def sign(self) -> Sign:
        """Whether it can be reached, as sign and word."""
        up = None if self.place is None else self.place.up
        if self.asks:
            return Sign(sign(State.UNKNOWN).glyph, "asks", "warning")
        if up is None:
            return Sign(sign(State.PENDING).glyph, "not tried", "pending")
        if up:
            return Sign(sign(State.RUNNING).glyph, "up", "done")
        return Sign(sign(State.FAILED).glyph, "unreachable", "failed")

    @property
    def work(self) -> str:
        """Its batches in words."""
        if not (self.running or self.pending):
            return "no batches"
        word = "batch" if self.running == 1 else "batches"
        return f"{self.running:,} {word} running, {self.pending:,} pending"

    @property
    def round_trip(self) -> str:
        """How long an answer takes; empty where that is not known."""
        trip = None if self.place is None or not self.place.up else self.place.round_trip_s
        return "" if trip is None else f"{trip * 1000:.0f} ms"

    def age(self, now: float) -> str:
        """How old what is told of it is at the moment *now*.

        In steps: every second would have a still screen drawn anew. Of what can't be reached the moment is
        told, which stays the same.
        """
        if self.place is None or self.place.looked is None:
            return ""
        if self.place.up is False:
            return f"stale, as of {clock(self.place.looked, now)}"
        seconds = now - self.place.looked
        if seconds < 60:
            return next(words for least, words in _AGES if seconds >= least)
        return f"{format_about(seconds)} ago"


_AGES = ((30, "30 s ago"), (15, "15 s ago"), (float("-inf"), "just now"))


def clock(moment: float, now: float) -> str:
    """A moment of the day that it is *now*, or else with its day."""
    then = time.localtime(moment)
    today = time.localtime(now)[:3] == then[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M", then)


def standings(
    runs: Iterable[RunRow], batches: Mapping[str, Counts], places: Iterable[PlaceRow]
) -> list[Standing]:
    """All clusters that live *runs* are on, or that ask something: the most troubled first, then by name.

    *batches* are the open ones of each run.
    """
    by_key = {(place.resource, place.profile): place for place in places}
    work: dict[tuple[str, str], Counts] = {key: Counts() for key, place in by_key.items() if place.question}
    for run in runs:
        # Only this machine needs no profile.
        if not run.state.final and run.profile is not None:
            key = run.resource, run.profile
            before, more = work.get(key, Counts()), batches.get(run.id, Counts())
            work[key] = Counts(pending=before.pending + more.pending, running=before.running + more.running)
    found = [Standing(*key, by_key.get(key), counts.running, counts.pending) for key, counts in work.items()]
    return sorted(found, key=lambda standing: (_trouble(standing), standing.resource, standing.profile))


def place_of(run: RunRow, places: Iterable[PlaceRow]) -> PlaceRow | None:
    """The one of *places* that *run* goes on at; None where it has ended, or nobody has tried to reach it."""
    if run.state.final:
        return None
    key = run.resource, run.profile or ""
    return next((place for place in places if (place.resource, place.profile) == key), None)


def moment_of(run: RunRow, place: PlaceRow | None, now: float) -> float:
    """The moment that what is known of *run* is about: *now*, or the last look at a *place* out of reach."""
    if run.state.final or place is None or place.up is not False or place.looked is None:
        return now
    return min(place.looked, now)


def reached_words(place: PlaceRow | None, now: float) -> str:
    """How *place* could be reached and when, at the moment *now*; empty where nobody has tried."""
    if place is None or place.up is None:
        return ""
    standing = Standing(place.resource, place.profile, place, 0, 0)
    told = ", ".join(part for part in (standing.sign.word, standing.round_trip, standing.age(now)) if part)
    return f"{told}: {place.trouble}" if place.trouble else told


def unseen_words(run: RunRow, place: PlaceRow | None, now: float, *, answer: str = ANSWER_KEY) -> str:
    """Why it can't be seen how *run*, on *place*, goes on, in a sentence; empty where it can.

    *answer* is what shows a person an open question.
    """
    words = away_words(run, place, answer=answer)
    if words and place is not None and not place.question and place.looked is not None:
        return f"{words} What is shown is as of {clock(place.looked, now)}."
    return words


def away_words(run: RunRow, place: PlaceRow | None, *, answer: str = ANSWER_KEY) -> str:
    """As `unseen_words`, without the moment that what is shown is about."""
    if run.state.final or place is None:
        return ""
    if place.question:
        return f"{run.resource} asks something before it can be reached: {answer} shows what."
    if place.up is False:
        trouble = place.trouble if place.trouble.endswith((".", "!", "?")) else f"{place.trouble}."
        return f"{run.resource} can't be reached: {trouble}"
    return ""


def trouble_words(run: RunRow, place: PlaceRow | None, now: float, *, answer: str = ANSWER_KEY) -> str:
    """Why *run*, on *place*, does not go on or is not seen to, in a sentence; empty where all is well."""
    return unseen_words(run, place, now, answer=answer) or ("" if run.state.final else run.reason)


def _trouble(standing: Standing) -> int:
    up = None if standing.place is None else standing.place.up
    return 0 if standing.asks else {False: 1, None: 2, True: 3}[up]
