"""Patterns of file names, expanded as a shell does.

Not the standard library's `glob`: its `**` follows links, and so finds a file again and again where a link
leads back to a folder above it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

_MAGIC = re.compile(r"[*?[]")


def is_pattern(text: str) -> bool:
    """Whether *text* holds `*`, `?` or `[`."""
    return _MAGIC.search(text) is not None


def expand(pattern: str, folder: str) -> Iterator[str]:
    """The paths that *pattern* matches, unsorted; a relative one is looked for in *folder*.

    `**` stands for any number of folders, links to folders not among them; at the end of a pattern it stands
    for everything below. Names that begin with a dot are matched only by a dot. Folders that can't be read
    are passed over, as in a shell.
    """
    root = "/" * (len(pattern) - len(pattern.lstrip("/")))
    parts = [part for part in pattern.split("/") if part]
    yield from _below(folder, root, parts, only_folders=pattern.endswith("/"))


def _below(folder: str, prefix: str, parts: list[str], *, only_folders: bool) -> Iterator[str]:
    """The matches of *parts* under *prefix*, which is empty or ends with a slash."""
    part, rest = parts[0], parts[1:]
    if part == "**":
        if rest:
            yield from _below(folder, prefix, rest, only_folders=only_folders)
        for entry in _entries(folder, prefix):
            path, is_folder = prefix + entry.name, _is_folder(entry)
            if entry.name.startswith("."):
                continue
            if not rest and (is_folder or not only_folders):
                yield path + "/" if only_folders else path
            if is_folder and not entry.is_symlink():
                yield from _below(folder, path + "/", parts, only_folders=only_folders)
    elif is_pattern(part):
        pattern = _compiled(part)
        for entry in _entries(folder, prefix):
            if pattern.match(entry.name) and (part.startswith(".") or not entry.name.startswith(".")):
                yield from _deeper(folder, prefix + entry.name, rest, _is_folder(entry), only_folders)
    else:
        path = os.path.join(folder, prefix + part)
        if os.path.lexists(path):
            yield from _deeper(folder, prefix + part, rest, os.path.isdir(path), only_folders)


def _deeper(folder: str, path: str, rest: list[str], is_folder: bool, only_folders: bool) -> Iterator[str]:
    if rest:
        if is_folder:
            yield from _below(folder, path + "/", rest, only_folders=only_folders)
    elif only_folders:
        if is_folder:
            yield path + "/"
    else:
        yield path


def _entries(folder: str, prefix: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(os.path.join(folder, prefix)) as entries:
            return list(entries)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


@lru_cache(maxsize=64)
def _compiled(part: str) -> re.Pattern[str]:
    # A shell takes [^a] for [!a].
    return re.compile(translate(part.replace("[^", "[!")))
