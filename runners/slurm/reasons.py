"""Why a job is where it is: SLURM's words for it as a sentence for a person, and what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runners.config.errors import shown
from runners.explanation import About, Explanation, Need, advice, sentence
from runners.slurm.limits import Meaning, limit
from runners.slurm.reason_table import REASONS, TEXTS

_NOTHING = frozenset({"", "None", "(null)", "N/A"})

_UNAVAILABLE = re.compile(r"UnavailableNodes: ?([A-Za-z0-9][A-Za-z0-9_.,\[\]-]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of what SLURM says."""

    word: str
    """As it is: untrusted text."""
    meaning: Meaning | None
    more: str = ""
    """What stands behind it: nodes, or a text."""
    hosts: str = ""
    """The nodes, if these are some."""

    def words(self, partition: str = "") -> str:
        """It for a person, with what is untrusted as it is."""
        if self.meaning is None:
            return self.word
        words = self.meaning.words.replace("{partition}", _named(partition))
        return f"{words} ({self.more})" if self.more else words

    @property
    def harmless(self) -> _Part:
        """The same with what is untrusted printable."""
        return replace(self, word=shown(self.word), more=shown(self.more))


def reason_words(reason: str, partition: str = "") -> str:
    """What SLURM means by *reason*, as a short sentence without its full stop; empty where it gives none.

    Nodes that SLURM names are told, and the job's *partition* if it is known. They and a word that is not
    known are returned as they are: it is untrusted text.
    """
    return "; ".join(dict.fromkeys(part.words(partition) for part in _parts(reason)))


def explain_reason(reason: str, about: About) -> Explanation | None:
    """What SLURM means by *reason* of the job *about*, and what to do; None where it gives none.

    Of several parts the one that needs most decides what to do. What is not known is told as it is.
    """
    parts = [part.harmless for part in _parts(reason)]
    if not parts:
        return None
    needs = list(Need)
    worst = max(parts, key=lambda part: needs.index(part.meaning.need if part.meaning else Need.ACTION))
    meaning = worst.meaning
    words = sentence("; ".join(dict.fromkeys(part.words(shown(about.partition)) for part in parts)))
    if meaning is None:
        show = about.command("scontrol show job {job}")
        text = "Ask your administrators what SLURM means by it" + (". What it knows" if show else "")
        said = f"SLURM says: {words}"
        return Explanation(said, advice(text, show), Need.ACTION, worst.word, known=False)
    field = meaning.field if meaning.need is Need.NEVER else ""
    remedy = _remedy(meaning, replace(about, hosts=worst.hosts))
    return Explanation(words, remedy, meaning.need, worst.word, "resource" if field else "", field)


def _named(partition: str) -> str:
    """The partition, or one of several with commas, in a sentence."""
    if "," in partition:
        return f"one of the partitions {partition.replace(',', ', ')}"
    return f"the partition {partition}".rstrip()


def _remedy(meaning: Meaning, about: About) -> str:
    if meaning.need is Need.NEVER and meaning.field:
        return advice(meaning.advice, about.setting(meaning.field, meaning.value))
    return about.advice(meaning.advice, *meaning.commands)


def _parts(reason: str) -> Sequence[_Part]:
    """The parts of what SLURM says, none where it says nothing."""
    reason = reason.strip()
    if reason in _NOTHING:
        return ()
    head, _, rest = (piece.strip() for piece in reason.partition(","))
    word = head.partition(":")[0]
    meaning = REASONS.get(word) or limit(word)
    text = _text(rest if meaning else reason)
    if text is not None:
        # It says more than the word that stands before it.
        return (_Part(word if meaning else text.words, text),)
    if meaning is None or not rest:
        return (_Part(word if meaning else reason, meaning),)
    if nodes := _UNAVAILABLE.fullmatch(rest):
        return (_Part(word, meaning, nodes[1], nodes[1]),)
    others = _parts(rest)
    if all(other.meaning for other in others):
        return (_Part(word, meaning), *others)
    return (_Part(word, meaning, rest.removeprefix("UnavailableNodes:")),)


def _text(text: str) -> Meaning | None:
    """What a text that slurmctld gives means; in listings of jobs it has _ for spaces."""
    spaced = text.replace("_", " ")
    return next((meaning for pattern, meaning in TEXTS if re.search(pattern, spaced, re.I)), None)
