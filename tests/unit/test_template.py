"""Placeholders in commands and in shell scripts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.shell_template import shell_script, with_values
from runners.template import TemplateError, fill, values_of
from runners.workflow import Item, Step, TaskType, arguments, as_typed, placeholders, render

VALUES = {"item": "a b", "index": "7", "plate id": "P1"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{item}", "a b"),
        ("x{item}-{index}y", "xa b-7y"),
        ("{plate id}", "P1"),
        ("{{item}}", "{item}"),
        ("{{anything}}", "{anything}"),
        ("{print $1}", "{print $1}"),
        ("{{print $1}}", "{{print $1}}"),
        ('{"a": {"b": "{item}"}}', '{"a": {"b": "a b"}}'),
        ('{"a": 1}', '{"a": 1}'),
        ("{}", "{}"),
        ("{} + {item", "{} + {item"),
        ("{1..3} {a,b}", "{1..3} {a,b}"),
    ],
)
def test_what_is_a_placeholder(text: str, filled: str) -> None:
    assert fill(text, VALUES) == filled


def test_a_value_is_never_looked_at_for_placeholders() -> None:
    assert fill("{item}", {"item": "{index}{{item}}", "index": "1"}) == "{index}{{item}}"


def test_an_unknown_placeholder_is_an_error_that_shows_the_way_out() -> None:
    with pytest.raises(TemplateError) as caught:
        fill("{itm}", VALUES)
    assert str(caught.value) == (
        "{itm} is no placeholder; those of this command are {item}, {index}, {plate id}, "
        "and {{itm}} stands for a literal {itm}."
    )


@pytest.mark.parametrize(
    ("item", "name", "stem", "parent"),
    [
        ("data/plate 1/a.tar.gz", "a.tar.gz", "a.tar", "data/plate 1"),
        ("a", "a", "a", "."),
        ("/a/b/", "b", "b", "/a"),
        ("/top", "top", "top", "/"),
        (".bashrc", ".bashrc", ".bashrc", "."),
        ("s3://bucket/x.zarr", "x.zarr", "x", "s3://bucket"),
        ("/", "", "", "/"),
    ],
)
def test_the_parts_of_an_item(item: str, name: str, stem: str, parent: str) -> None:
    values = values_of(item, 3)
    assert values == {"item": item, "index": "3", "name": name, "stem": stem, "parent": parent}


def test_a_column_goes_before_a_part_of_the_item() -> None:
    assert values_of("a/b", 0, {"name": "mine"})["name"] == "mine"


def step(*command: str, **more: object) -> Step:
    return Step.model_validate({"name": "s", "command": list(command), **more})


def rendered(a_step: Step, item: Item | None, index: int = 0) -> list[str]:
    return render(a_step, item, index, args_json="/run/args.json", out_json="/run/out.json")


def test_a_command_is_rendered_word_by_word() -> None:
    item = Item(value="-rf $(x) 'y'\n", fields={"well": "A 1"})
    command = step("do", "{item}", "--well={well}", "{args_json}", "{out_json}", "{index}")
    assert rendered(command, item, 4) == [
        "do",
        "-rf $(x) 'y'\n",
        "--well=A 1",
        "/run/args.json",
        "/run/out.json",
        "4",
    ]


def test_a_step_that_runs_once_has_no_item() -> None:
    once = step("do", "{item}", type="non_parallel")
    with pytest.raises(
        TemplateError, match=r"Step 's': \{item\} stands for one item, but this step runs once"
    ):
        placeholders(once)
    with pytest.raises(TemplateError, match=r"\{well\} stands for one item"):
        placeholders(step("do", "{well}", type="non_parallel"), ["well"])
    assert placeholders(step("do", "{args_json}", type="non_parallel")) == {"args_json"}
    assert rendered(step("do", "{args_json}", type="non_parallel"), None) == ["do", "/run/args.json"]


def test_placeholders_of_a_command() -> None:
    assert placeholders(step("do", "{item}", "{{x}}", "{print $1}")) == {"item"}
    assert placeholders(step("do {stem}; do {well}", shell=True), ["well"]) == {"stem", "well"}
    with pytest.raises(TemplateError, match=r"Step 's': \{wel\} is no placeholder"):
        placeholders(step("do", "{wel}"), ["well"])


def test_the_arguments_of_a_task() -> None:
    items = [Item(value="a"), Item(value="b", fields={"path": "b", "well": "B2"})]
    assert arguments(step("x"), items[:1]) == {"item": "a"}
    assert arguments(step("x", args={"sigma": 2}), items[1:]) == {"path": "b", "well": "B2", "sigma": 2}
    once = step("x", args={"sigma": 2}, type="non_parallel")
    assert once.type is TaskType.NON_PARALLEL
    assert arguments(once, items) == {"items": ["a", "b"], "sigma": 2}
    assert json.dumps(arguments(step("x", args={"item": "mine"}), items[:1])) == '{"item": "mine"}'


# Shell scripts


def output(script: str, item: str, shell: str = "sh") -> str:
    """What *script* prints when a shell really runs it."""
    argv = rendered(step(script, shell=True), Item(value=item, fields={"plate id": item}))
    assert argv[0] == "/bin/sh"
    argv[0] = shell
    environ = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(argv, capture_output=True, check=True, timeout=10, cwd="/", env=environ)
    assert done.stderr == b""
    return done.stdout.decode()


SCRIPTS = [
    "printf %s {item}",
    'printf %s "{item}"',
    'printf %s "<{item}>" | sed "s/^<//; s/>$//"',
    'x={item}; printf %s "$x"',
    "printf %s \"$(printf %s {item}; echo .)\" | sed '$s/\\.$//'",
    'printf %s "$(printf %s "{item}"; echo .)" | sed \'$s/\\.$//\'',
    "f() { printf %s {item}; }; f other",
    "set -- other; shift; printf %s {item}",
    'for x in {item}; do printf %s "$x"; done # it\'s {item}',
    "case {item} in {item}) printf %s {plate id};; esac",
    "( printf %s {item} )",
    "printf '%s' {item} # don't",
    'echo \\{item} \\" >/dev/null; printf %s "\\"{item}\\"" | sed \'s/^"//; s/"$//\'',
    'X=; printf %s "${X:-}{item}${X%.*}"',
]

# What a shell reads as more than text, often.
HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from(list(" \t'\"`$(){}[]*?~;&|<>\\#!-=%\r\x1b")),
        st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\n"),
    ),
    min_size=1,
    max_size=20,
)


def output_as_typed(script: str, item: str) -> str:
    """What the script prints whose values are in place."""
    values = {**values_of(item, 0, {"plate id": item}), "args_json": "a", "out_json": "o"}
    argv = ["/bin/sh", "-c", with_values(script, values)]
    return subprocess.run(argv, capture_output=True, check=True, timeout=10, cwd="/").stdout.decode()


@settings(max_examples=40, deadline=None)
@given(item=HOSTILE, script=st.sampled_from(SCRIPTS))
def test_a_script_as_typed_does_what_the_one_that_runs_does(item: str, script: str) -> None:
    assert output_as_typed(script, item) == item


def test_a_script_as_typed_reads_as_it_was_written() -> None:
    script = step('sort {item} > "out/{stem}.$USER"; echo {index}>{{x}}', shell=True)
    typed = as_typed(script, Item(value="it's `$x`.csv"), 3, args_json="A", out_json="O")
    assert typed == """sort 'it'\\''s `$x`.csv' > "out/it's \\`\\$x\\`.$USER"; echo '3'>{x}"""


def test_a_command_as_typed_is_quoted_where_it_must_be() -> None:
    typed = as_typed(step("cat", "{item}", "{out_json}"), Item(value="a b"), 0, args_json="A", out_json="O")
    assert typed == "cat 'a b' O"


@settings(max_examples=40, deadline=None)
@given(item=HOSTILE, script=st.sampled_from(SCRIPTS))
def test_no_item_is_ever_read_as_shell_code(item: str, script: str) -> None:
    assert output(script, item) == item


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(
    "item", ["$(echo x)", "`echo x`", "'; echo x; '", '"; echo x; "', "* ?", "-n", "~", "a  b "]
)
def test_hostile_items_reach_every_script_unharmed(item: str, script: str, shell: str) -> None:
    assert output(script, item, shell) == item


def test_a_line_break_in_an_item_is_kept() -> None:
    assert output("printf %s {item}", "a\n;echo x\n") == "a\n;echo x\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo '{item}'", "inside '…'"),
        ("awk '{print \"{item}\"}'", "inside '…'"),
        ("echo `cat {item}`", "inside `…`"),
        ("echo $(( {item} + 1 ))", "inside arithmetic"),
        ('echo "$(( {item} + 1 ))"', "inside arithmetic"),
        ("(( {item} > 1 )) && echo", "inside arithmetic"),
        ("echo $[{item}]", "inside arithmetic"),
        ("cat <<E\n{item}\nE\n", "here-document"),
        ("echo $'\\'' {item}", r"\$'…'"),
        ("echo \"${x:-'}'}\" {item}", "with quotes or braces inside"),
        ('x="$(case a in a) echo {item};; esac)"', "a case inside"),
        ("echo {item} 'open", "a ' without its partner"),
        ('echo {item} "open', 'a " without its partner'),
        ("echo {item} `open", "a ` without its partner"),
        ("echo {itm}", "is no placeholder"),
    ],
)
def test_a_placeholder_that_could_not_be_a_value_is_refused(script: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why) as caught:
        placeholders(step(script, shell=True))
    assert str(caught.value).startswith("Step 's': ")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "script",
    [
        "cat <<E\nit's {print $1} ${item}\nE\n",
        "awk '{print $1}' \"${item}\" # {item} would be one, but for the #",
        "echo $((1 + 2)) `date`",
    ],
)
def test_a_script_without_placeholders_stays_as_it_is(script: str) -> None:
    assert shell_script(script, frozenset({"index"})).text == script


def test_two_braces_are_literal_in_scripts_too() -> None:
    assert output("printf %s '{{item}}' \"{{print}}\" {{x}}", "i") == "{item}{print}{x}"


def test_each_value_is_handed_over_once() -> None:
    script = shell_script('a {item} {name} "{item}"', frozenset({"item", "name"}))
    assert script.names == ("item", "name")
    assert script.text == 'ry_1=${1} ry_2=${2}; a "${ry_1}" "${ry_2}" "${ry_1}"'


def test_a_redirection_writes_the_file_of_that_name(tmp_path: Path) -> None:
    argv = rendered(step("echo hello > {name}.txt", shell=True), Item(value="x/a b;c"))
    subprocess.run(argv, check=True, cwd=tmp_path, timeout=10)
    assert [path.name for path in tmp_path.iterdir()] == ["a b;c.txt"]
