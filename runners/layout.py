"""The names of a run's folders and files: those of the reference system where it has them. Pure."""

import hashlib
import posixpath
import re

from runners.workflow import Step, TaskType

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def step_folder(run_folder: str, position: int, name: str) -> str:
    """Where the tasks of a step write: ``{order}_{slug}`` below the run's folder."""
    return posixpath.join(run_folder, f"{position}_{slug(name)}")


def slug(name: str) -> str:
    """What is left of *name* where only small letters, digits and underscores are allowed."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or "unnamed"


def batch_folder(folder: str, token: str) -> str:
    """Where a batch of the step with this *folder* has its task list, its claim and its events."""
    return posixpath.join(folder, "batches", token)


def batch_token(run: str, number: int, salt: str) -> str:
    """The name of a batch wherever it goes, such as ``ry-3k9m2x7q-000-h2v8c5t1``.

    It is derived and not drawn, so that a request that is carried out again after a crash finds, and does not
    repeat, what it had begun. *salt* (the state folder) keeps two Runyards apart that share a machine.
    """
    digest = hashlib.blake2b(f"{salt}\0{run}\0{number}".encode("utf-8", "surrogateescape"), digest_size=8)
    bits = int.from_bytes(digest.digest(), "big")
    return f"ry-{run}-{number:03d}-" + "".join(_LETTERS[bits >> 5 * place & 31] for place in range(8))


class TaskFiles:
    """The files of the tasks of one batch of a step."""

    def __init__(self, step: Step, folder: str, batch: int) -> None:
        """*folder* is the step's, *batch* the number of the batch within the run."""
        self._alone = step.type is TaskType.NON_PARALLEL
        self._prefix = posixpath.join(folder, "non_par--" if self._alone else f"par-{batch:06d}-")

    def log(self, index: int) -> str:
        """Where what task *index* prints goes."""
        return f"{self._stem(index)}log.txt"

    def args(self, index: int) -> str:
        """Where its arguments lie, as JSON."""
        return f"{self._stem(index)}args.json"

    def out(self, index: int) -> str:
        """Where it may leave its result, as JSON."""
        return f"{self._stem(index)}metadiff.json"

    def _stem(self, index: int) -> str:
        return self._prefix if self._alone else f"{self._prefix}{index:07d}-"
