"""What a form edits: a JSON document as it stands, what was saved, and what is wrong. Imports no textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from tui.forms import naming
from tui.forms.echoes import meaning
from tui.forms.faults import validated
from tui.forms.order import ordered_like
from tui.forms.spec import FieldSpec, Kind, Path
from tui.forms.tree import (
    MISSING,
    Filled,
    Missing,
    Rows,
    at,
    counterpart,
    empty,
    grown,
    plain,
    planted,
    same,
    spec_at,
    strangers,
    text_of,
    unknown,
    value_of,
)
from tui.forms.variants import changed_to

__all__ = ["MISSING", "Draft", "Missing"]


class _State(NamedTuple):
    """What undo brings back."""

    tree: object
    aside: Mapping[tuple[Path, str], Any]
    """Groups of unions as they were when another variant was chosen, by their place and tag."""


class Draft:
    """A document while a form edits it. Changes are undoable; all of it is validated after each change, once.

    A field is in one of three states: not given, explicitly none, or given, which it also is when its value
    equals the default: the merge of SLURM settings depends on that.
    """

    def __init__(self, spec: FieldSpec, document: object, *, saved: object = MISSING) -> None:
        """*document* may be anything that JSON can hold, and must not be changed from then on.

        *saved* is what is on disk; without it nothing counts as changed, and a reset goes back to *document*.
        """
        self._spec = spec
        self._state = _State(grown(spec, document), {})
        self._written = document
        """The document as it was written last, wherever: its keys have an order."""
        self._is_new = saved is MISSING
        self._saved = self._state.tree if saved is MISSING else grown(spec, saved)
        self._undo: list[tuple[_State, Path]] = []
        self._redo: list[tuple[_State, Path]] = []
        self._added: tuple[Path, int] | None = None
        self._typing: tuple[str, Path] | None = None
        self._typed: tuple[Path, str] | None = None
        self.revision = 0
        """Counts the changes: a view that drew another one is out of date."""
        self._document_of: tuple[int, Any] | None = None
        self._validated_of: tuple[int, Mapping[Path, str], BaseModel | None] | None = None

    # What stands in the form

    @property
    def root(self) -> FieldSpec:
        """The group of all fields; of a union the variant that its tag names now."""
        return self._spec.variant(self._tree)

    @property
    def document(self) -> Any:
        """The JSON document, to be read only.

        Keys stand in the order in which they were written, new ones where the schema has them; unknown ones
        are kept.
        """
        if self._document_of is None or self._document_of[0] != self.revision:
            document = plain(self._spec, self._tree)
            self._document_of = (self.revision, ordered_like(document, self._written))
        return self._document_of[1]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The dotted paths of keys that the schema does not know, and drops when it reads the document."""
        return tuple(unknown(self._spec, self._tree))

    def spec(self, path: Path) -> FieldSpec:
        """The field at a path; of a union the variant that applies. Raises `KeyError` where there is none.

        A key that is there, and that the schema does not know, is a field too.
        """
        return spec_at(self._spec, self._tree, path).variant(at(self._tree, path))

    def fields(self, path: Path = ()) -> tuple[FieldSpec, ...]:
        """The fields of a group that are shown; of a union the variant that applies."""
        group = at(self._tree, path)
        return tuple(
            found.variant(at(group, (found.name,)))
            for found in self.spec(path).fields
            if found.kind is not Kind.NOTHING
        )

    def strangers(self, path: Path = (), *, saved: bool = False) -> list[Path]:
        """What does not belong into a group, now or as it was *saved*; `clear` removes it."""
        group = counterpart(self._tree, path, self._saved) if saved else at(self._tree, path)
        return [(*path, key) for key in strangers(self.spec(path), group)]

    def given(self, path: Path) -> bool:
        """Whether the document says something here, be it that there is none."""
        return at(self._tree, path) is not MISSING

    def is_none(self, path: Path) -> bool:
        """Whether the document says that there is none."""
        value = at(self._tree, path)
        if isinstance(value, dict) and not value and not isinstance(value, Filled):
            return self.spec(path).empty_is_none
        return value is None

    def present(self, path: Path) -> bool:
        """Whether a group, list or map is there: given, and not none."""
        return self.given(path) and not self.is_none(path)

    def raw(self, path: Path) -> object:
        """The JSON value, `MISSING` where none is given."""
        value = at(self._tree, path)
        return value if value is MISSING else plain(spec_at(self._spec, self._tree, path), value)

    def text(self, path: Path) -> str:
        """What a field for text shows: what was just typed there, as it was typed, else the value."""
        if self._typed is not None and self._typed[0] == path:
            return self._typed[1]
        return text_of(at(self._tree, path))

    def size(self, path: Path) -> int:
        """How many items or rows a list or map has."""
        return len(self._copy(spec_at(self._spec, self._tree, path), path))

    def key(self, path: Path) -> str:
        """The key of a map's row."""
        rows, index = self._items(path)
        return rows[index][0] if isinstance(rows, Rows) else ""

    # Edits

    def type(self, path: Path, text: str) -> None:
        """What a field for text holds now. An empty text says nothing; in a list or map it is a text."""
        value: object
        if not text and isinstance(path[-1], str):
            value = MISSING
        elif self._told_before(path, text):
            # Typed back to what was saved, be it 4 or "4", is no change.
            value = counterpart(self._tree, path, self._saved)
        else:
            value = value_of(spec_at(self._spec, self._tree, path), text)
        self._put(path, value, typing="type")
        self._typed = (path, text)

    def put(self, path: Path, value: object) -> None:
        """Give a field a JSON value."""
        self._put(path, grown(spec_at(self._spec, self._tree, path), value))

    def clear(self, path: Path) -> None:
        """Not given any more: what holds without it holds. An item stays, as empty as a new one."""
        is_item = bool(path) and isinstance(path[-1], int)
        self._put(path, empty(spec_at(self._spec, self._tree, path)) if is_item else MISSING)

    def nothing(self, path: Path) -> None:
        """Say that there is none: null, or what stands for it in this field."""
        self._put(path, spec_at(self._spec, self._tree, path).none)

    def fill(self, path: Path) -> None:
        """A group, list or map: there from now on, empty. One that is there stays as it is."""
        if not self.present(path):
            self._change(path, self._with(path, empty(spec_at(self._spec, self._tree, path))))

    def add(self, path: Path, at_index: int | None = None, texts: Sequence[str] = ()) -> Path:
        """A new empty item of a list, or row of a map, at the end or at an index; returns its path.

        With *texts* one for each of them, as it is typed; returns the path of the last.
        """
        field = spec_at(self._spec, self._tree, path)
        if field.item is None:
            raise KeyError(path)
        items = self._copy(field, path)
        index = len(items) if at_index is None else max(0, min(at_index, len(items)))
        new = [value_of(field.item, text) for text in texts] or [empty(field.item)]
        items[index:index] = [("", value) for value in new] if isinstance(items, Rows) else new
        last = (*path, index + len(new) - 1)
        self._change(last, self._with(path, items))
        self._added = None if texts else (last, self.revision)
        return last

    @property
    def unused(self) -> Path | None:
        """The item that was added last, if nothing was changed since, and it is not valid as it is: empty."""
        if self._added is None or self._added[1] != self.revision:
            return None
        added = self._added[0]
        return added if any(path[: len(added)] == added for path in self.errors) else None

    def drop_unused(self) -> None:
        """Take the item out that is unused, as if it had never been added."""
        if self.unused is not None:
            self.undo()
            self._redo.clear()

    def remove(self, path: Path) -> None:
        """Take out an item or row; the list or map stays, be it empty."""
        items, index = self._items(path)
        del items[index]
        self._change(path, self._with(path[:-1], items))

    def move(self, path: Path, by: int) -> Path:
        """Move an item or row down, or up with a negative number, as far as it goes; returns its new path."""
        items, index = self._items(path)
        target = max(0, min(index + by, len(items) - 1))
        moved = (*path[:-1], target)
        if target != index:
            items.insert(target, items.pop(index))
            self._change(moved, self._with(path[:-1], items))
        return moved

    def rename(self, path: Path, key: str) -> None:
        """Give a map's row another key. An empty one, or one that is there twice, is an error at the row."""
        rows, index = self._items(path)
        if not isinstance(rows, Rows):
            raise KeyError(path)
        if rows[index][0] != key:
            rows[index] = (key, rows[index][1])
            self._change(path, self._with(path[:-1], rows), typing="rename")

    def replace(self, document: object, *, typing: bool = False) -> None:
        """Another document, as it is; *typing* it is one step to undo with what was typed just before."""
        tree = grown(self._spec, document)
        self._written = document
        self._document_of = None
        if not same(tree, self._tree):
            self._change((), self._state._replace(tree=tree), typing="replace" if typing else "")

    def reset(self, path: Path = ()) -> None:
        """Back to what was saved; of a new document, to what it began with. May be undone.

        A row of a map gets its name back where it seems to have had another one; what is new is removed.
        """
        saved = counterpart(self._tree, path, self._saved)
        if not path:
            if not same(saved, self._tree):
                self._change((), self._state._replace(tree=saved))
        elif saved is MISSING and isinstance(path[-1], int):
            rows, index = self._items(path)
            if (row := self._renamed(rows, path)) is None:
                self.remove(path)
            else:
                rows[index] = row
                self._change(path, self._with(path[:-1], rows))
        else:
            self._put(path, saved)

    def settle(self) -> None:
        """The typing is over (the focus left the field): what is typed from now on is a step of its own."""
        self._typing = self._typed = None

    def undo(self) -> Path | None:
        """Take back the last change; returns where that was, None if there is none."""
        return self._step(self._undo, self._redo)

    def redo(self) -> Path | None:
        """Make the change again that was taken back last; returns where that was, None if there is none."""
        return self._step(self._redo, self._undo)

    # Saved or not

    def mark_saved(self, document: object) -> None:
        """*document* is on disk now. What was typed since it was handed over stays a change."""
        self._saved = grown(self._spec, document)
        self._is_new = False
        self.settle()
        self.revision += 1

    def changed(self, path: Path = ()) -> bool:
        """Whether anything differs from what was saved, at the path or below; never in a new document."""
        return not self._is_new and not same(at(self._tree, path), counterpart(self._tree, path, self._saved))

    def saved(self, path: Path) -> object:
        """The JSON value that was saved here, `MISSING` where none was; for the explanation of a change."""
        value = counterpart(self._tree, path, self._saved)
        return value if value is MISSING else plain(spec_at(self._spec, self._tree, path), value)

    # What is wrong, and what things mean

    @property
    def errors(self) -> Mapping[Path, str]:
        """What is wrong, by field: a message completes a sentence that begins with the field's name."""
        return self._validated()[0]

    @property
    def model(self) -> BaseModel | None:
        """What the document makes; None while there are errors."""
        return self._validated()[1]

    def echo(self, path: Path) -> str:
        """What a typed value means, where that is worth telling: "3,000 MB" for "3G"; else nothing."""
        return meaning(self.spec(path).kind, at(self._tree, path))

    def dotted(self, path: Path) -> str:
        """The name of a field as errors have it, with keys instead of rows."""
        return naming.dotted(self._tree, path)

    def path_of(self, dotted: str) -> Path:
        """The field that a dotted name means, or the nearest one around it that is shown."""
        return naming.path_of(self._spec, self._tree, dotted)

    # Within

    @property
    def _tree(self) -> object:
        return self._state.tree

    def _validated(self) -> tuple[Mapping[Path, str], BaseModel | None]:
        if self._validated_of is None or self._validated_of[0] != self.revision:
            self._validated_of = (self.revision, *validated(self._spec, self._tree, self.document))
        return self._validated_of[1:]

    def _told_before(self, path: Path, text: str) -> bool:
        saved = counterpart(self._tree, path, self._saved)
        return isinstance(saved, (str, int, float)) and text_of(saved) == text

    def _renamed(self, rows: list[Any], path: Path) -> tuple[str, object] | None:
        """The saved row that stood where one of *rows* stands now, unless it is still somewhere."""
        saved = counterpart(self._tree, path[:-1], self._saved)
        if not isinstance(saved, Rows) or not isinstance(path[-1], int) or path[-1] >= len(saved):
            return None
        row = saved[path[-1]]
        return None if row[0] in (key for key, _ in rows) else row

    def _items(self, path: Path) -> tuple[list[Any], int]:
        """A copy of what a path points into, and the index. Raises `KeyError` where there is no such item."""
        if not path or not isinstance(path[-1], int):
            raise KeyError(path)
        items = self._copy(spec_at(self._spec, self._tree, path[:-1]), path[:-1])
        if not 0 <= path[-1] < len(items):
            raise KeyError(path)
        return items, path[-1]

    def _copy(self, field: FieldSpec, path: Path) -> list[Any]:
        """The items of a list or map, as a copy to change; none where something else stands there."""
        items = at(self._tree, path)
        if field.kind is Kind.MAP:
            return Rows(items) if isinstance(items, Rows) else Rows()
        return list(items) if field.kind is Kind.LIST and isinstance(items, list) else []

    def _with(self, path: Path, value: object) -> _State:
        return self._state._replace(tree=planted(self._spec, self._tree, path, value))

    def _put(self, path: Path, value: object, typing: str = "") -> None:
        now = at(self._tree, path)
        if same(now, value):
            return
        union = spec_at(self._spec, self._tree, path[:-1]) if path else None
        if union and path[-1] == union.tag and isinstance(value, str) and value in union.variants:
            self._change(path, self._with_tag(union, path[:-1], value), typing)
        else:
            self._change(path, self._with(path, value), typing)

    def _with_tag(self, union: FieldSpec, path: Path, tag: str) -> _State:
        """The group at the path as another variant of its union."""
        value = self.raw(path)
        group = value if isinstance(value, dict) else {}
        aside = dict(self._state.aside)
        left = group.get(union.tag)
        if isinstance(left, str):
            aside[path, left] = group
        group = changed_to(union, tag, group, aside.get((path, tag)))
        return _State(planted(self._spec, self._tree, path, grown(union, group)), aside)

    def _change(self, path: Path, state: _State, typing: str = "") -> None:
        if not typing or self._typing != (typing, path):
            self._undo.append((self._state, path))
        self._redo.clear()
        self._typing = (typing, path) if typing else None
        self._typed = None
        self._state = state
        self.revision += 1

    def _step(self, back: list[tuple[_State, Path]], forth: list[tuple[_State, Path]]) -> Path | None:
        if not back:
            return None
        state, path = back.pop()
        forth.append((self._state, path))
        self._state = state
        self.settle()
        self.revision += 1
        return path
