"""The items of a dataset."""

from __future__ import annotations

import io
import os
import subprocess
import threading
from pathlib import Path

import pytest

from runners import dataset
from runners.dataset import (
    DatasetError,
    Form,
    columns_of,
    items_from_file,
    items_from_globs,
    items_from_stream,
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with files, folders, hidden ones, odd names, and a link that leads back up."""
    for name in (
        "b.txt",
        "a.txt",
        "c.log",
        ".hidden.txt",
        "sub/d.txt",
        "sub/deep/e.txt",
        "sub/.git/f.txt",
        "[x].txt",
        "-rf",
        "new\nline.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "dangling.txt").symlink_to("nowhere")
    return tmp_path


def values(*patterns: str, folder: Path) -> list[str]:
    return [item.value for item in items_from_globs(patterns, folder)]


@pytest.mark.parametrize(
    "pattern",
    [
        "*.txt",
        "*",
        "?.txt",
        "[ab].txt",
        "[!a].txt",
        "[^a].txt",
        ".*.txt",
        "*/*.txt",
        "sub/*",
        "sub/*/",
        "*/",
        "**/*.txt",
        "**",
        "**/deep/*",
        "./*.txt",
        "-*",
        "su?/d.txt",
        "sub//d*",
    ],
)
def test_patterns_match_what_bash_matches(files: Path, pattern: str) -> None:
    script = f"shopt -s globstar nullglob; printf '%s\\0' {pattern}"
    done = subprocess.run(["bash", "-c", script], cwd=files, check=True, capture_output=True, timeout=10)
    expected = done.stdout.decode().split("\0")[:-1]
    assert expected
    assert sorted(os.path.normpath(path) for path in values(pattern, folder=files)) == sorted(
        {os.path.normpath(path) for path in expected}
    )


def test_two_stars_at_the_end_are_everything_below(files: Path) -> None:
    assert values("sub/**", folder=files) == ["sub/d.txt", "sub/deep", "sub/deep/e.txt", "sub/up"]


def test_matches_are_sorted_and_each_is_there_once(files: Path) -> None:
    assert values("c.log", "*.txt", "a*", folder=files) == [
        "c.log",
        "[x].txt",
        "a.txt",
        "b.txt",
        "dangling.txt",
        "new\nline.txt",
    ]


def test_absolute_patterns(files: Path) -> None:
    assert values(f"{files}/**/d.txt", folder=Path("/")) == [f"{files}/sub/d.txt"]


def test_a_name_that_is_there_is_no_pattern(files: Path) -> None:
    (files / "x.txt").touch()
    assert values("[x].txt", folder=files) == ["[x].txt"]
    assert values("sub/../a.txt", "-rf", folder=files) == ["sub/../a.txt", "-rf"]


def test_a_tilde_is_the_home_folder(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(files))
    assert values("~/a*", "~/b.txt", folder=Path("/")) == [f"{files}/a.txt", f"{files}/b.txt"]


def test_a_pattern_that_matches_nothing_is_named(files: Path) -> None:
    with pytest.raises(DatasetError, match=r"^No file matches '\*\.tif' in .*\.$"):
        values("*.txt", "*.tif", folder=files)


def test_a_word_that_is_no_file_leads_to_items_from(files: Path) -> None:
    with pytest.raises(DatasetError, match=r"^There is no file 'plate-1' in .*--items-from FILE"):
        values("plate-1", folder=files)


def test_an_empty_word_is_refused(files: Path) -> None:
    with pytest.raises(DatasetError, match="can't be empty"):
        values("", folder=files)


def test_a_file_name_that_is_not_utf8_is_refused(files: Path) -> None:
    Path(os.fsdecode(os.fsencode(files) + b"/caf\xe9.dat")).touch()
    with pytest.raises(DatasetError, match=r"File 1 of 1, 'caf\\udce9\.dat', can't be an item: .*rename it"):
        values("*.dat", folder=files)


def test_too_many_items_are_refused(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "MOST_ITEMS", 3)
    with pytest.raises(DatasetError, match="more than 3 items"):
        values("*", folder=files)
    with pytest.raises(DatasetError, match="more than 3 items"):
        read("a\nb\nc\nd\n")


# Files


def read(content: str | bytes, name: str = "items.txt", *, nuls: bool = False) -> list[str]:
    data = content.encode() if isinstance(content, str) else content
    return [item.value for item in items_from_stream(io.BytesIO(data), name, Form.of(name, nuls=nuls))]


def refusal(content: str | bytes, name: str = "items.txt") -> str:
    with pytest.raises(DatasetError) as caught:
        read(content, name)
    sentence = str(caught.value)
    assert sentence.startswith(name)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_lines() -> None:
    assert read("a\n b \r\n\n-rf\n'q' \"x\"\x0cstill\nlast") == [
        "a",
        " b ",
        "-rf",
        "'q' \"x\"\x0cstill",
        "last",
    ]
    assert read(b"\xef\xbb\xbfa\r\n\xc3\xa4\r\n") == ["a", "ä"]


def test_nul_separated_items_may_hold_line_breaks() -> None:
    assert read("a\nb\0c d\r\n\0", nuls=True) == ["a\nb", "c d\r\n"]
    assert read("a\0b", nuls=True) == ["a", "b"]


def test_a_table() -> None:
    content = '\ufeffplate,well,note\r\nP1,A1,"with, ""quotes""\nand lines"\r\n\r\nP2,B2,\r\n'
    items = items_from_stream(io.BytesIO(content.encode()), "t.csv", Form.CSV)
    assert [item.value for item in items] == ["P1", "P2"]
    assert items[0].fields == {"plate": "P1", "well": "A1", "note": 'with, "quotes"\nand lines'}
    assert items[1].fields == {"plate": "P2", "well": "B2", "note": ""}
    assert columns_of(items) == {"plate", "well", "note"}


def test_a_column_named_item_is_the_item() -> None:
    assert read("plate,item\nP1,x\n", "t.CSV") == ["x"]


def test_json_lines() -> None:
    content = '{"path": "a b", "n": 3, "deep": {"x": [1, null]}, "none": null, "yes": true}\n\n"just text"\n'
    items = items_from_stream(io.BytesIO(content.encode()), "t.jsonl", Form.of("t.ndjson"))
    assert items[0].value == "a b"
    assert items[0].fields == {
        "path": "a b",
        "n": "3",
        "deep": '{"x": [1, null]}',
        "none": "",
        "yes": "true",
    }
    assert (items[1].value, items[1].fields) == ("just text", None)
    assert read('{"a": 1, "item": "x"}', "t.jsonl") == ["x"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("items.txt", "", "holds no items"),
        ("items.txt", "\n\r\n", "holds no items"),
        ("items.txt", b"a\nb\0c\n", "line 2: a NUL"),
        ("items.txt", b"a\nb\ncaf\xe9\n", r"line 3: 'caf\xe9' is not UTF-8 text (byte 0xe9); save the list"),
        ("t.csv", "", "holds no items"),
        ("t.csv", "a,b\n", "holds no items"),
        ("t.csv", "a,b\n1,2\n3\n", "line 3: it has 1 field, but the header names 2 columns"),
        ("t.csv", 'a,b\n1,"x\ny"\n1,2,3\n', "line 4: it has 3 fields"),
        ("t.csv", "a,,c\n1,2,3\n", "line 1: column 2 has no name"),
        ("t.csv", "a,b,a\n1,2,3\n", "line 1: two columns are named 'a'"),
        ("t.csv", 'a,b\n1,"x"y\n', "line 2: this is not CSV"),
        ("t.csv", 'a,b\n1,"x\n', "line 2: this is not CSV"),
        ("t.jsonl", '{"a": 1}\n{"a": \n', "line 2: this is not JSON"),
        ("t.jsonl", "{}\n", "line 1: an item is an object"),
        ("t.jsonl", '"a"\n[1]\n', "line 2: an item is an object"),
        ("t.jsonl", '""\n', "line 1: an item is an object"),
        ("t.jsonl", '"a\\u0000b"\n', r"line 1: 'a\x00b' can't be handed to a command: it holds a NUL"),
        ("t.jsonl", '{"a": "\\ud800"}\n', "not valid Unicode"),
        ("t.jsonl", "9" * 5000 + "\n", "line 1: this is not JSON (a value is too long"),
    ],
)
def test_a_broken_file_is_one_sentence(name: str, content: str | bytes, reason: str) -> None:
    assert reason in refusal(content, name)


def test_an_item_that_is_not_utf8_is_named_with_its_position() -> None:
    with pytest.raises(DatasetError) as caught:
        items_from_stream(io.BytesIO(b"a\0b\nc\0caf\xe9\0d\0"), "it", Form.NULS)
    assert str(caught.value).startswith(r"it, item 3: 'caf\xe9' is not UTF-8 text (byte 0xe9); ")


def test_a_file_is_read_by_its_name(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("well\nA1\n")
    assert [item.fields for item in items_from_file(table)] == [{"well": "A1"}]
    assert [item.value for item in items_from_file(table, nuls=True)] == ["well\nA1\n"]


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=lambda: pipe.write_text("a\nb\n"))
    writing.start()
    assert [item.value for item in items_from_file(pipe)] == ["a", "b"]
    writing.join(timeout=5)


@pytest.mark.parametrize(("name", "reason"), [("absent.txt", "No such file"), ("", "Is a directory")])
def test_a_file_that_can_t_be_read_is_named(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason) as caught:
        items_from_file(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
