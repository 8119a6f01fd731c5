"""From what a person gives, on the command line or in a form, to a request that an engine can carry out."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runners.advice import about_other_runs, about_placeholders, about_shell_words, about_variables
from runners.config.errors import ConfigError, shown
from runners.config.home import Home
from runners.config.resource import LocalResource, Resource, SlurmSSHResource
from runners.config.types import has_control
from runners.config.units import LARGEST, parse_duration, parse_memory
from runners.dataset import (
    DatasetError,
    Form,
    columns_of,
    items_from_file,
    items_from_globs,
    items_from_stream,
)
from runners.environment import exported_environment, is_text, task_environment
from runners.local import LocalRunner
from runners.placing import choose_profile, folder_here, open_resource, project_folder, start_folder
from runners.plan import Plan, plan_slurm
from runners.requests import LONGEST_NAME, LaunchRequest, LaunchSpec, TaskNeeds, new_run_id
from runners.template import ITEM_NAMES, PATH_NAMES, TemplateError, split
from runners.workflow import (
    Item,
    Step,
    StepMeta,
    TaskType,
    Workflow,
    as_typed,
    placeholders,
    read_workflow,
    render,
)


class LaunchError(ValueError):
    """The launch can't be; the text is one sentence for a person."""

    def __init__(self, message: str, field: str = "") -> None:
        """*field* is the name of the `LaunchOptions` field at fault, empty where it is no single one."""
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOptions:
    """What a person gives to launch a run: a command, or a workflow's file."""

    command: tuple[str, ...] = ()
    """A command of one step; with `shell` its words, joined by spaces, are the script."""
    shell: bool = False
    workflow: Path | None = None
    items: tuple[str, ...] = ()
    """Patterns of file names."""
    items_from: Path | str | None = None
    """A file of items; `"-"` is standard input."""
    nuls: bool = False
    """The items in `items_from` end with NUL characters."""
    resource: str = "local"
    profile: str | None = None
    name: str | None = None
    cpus: int | None = None
    """CPUs for each task, in place of what the steps say; so are the next three."""
    mem: str | None = None
    """Memory for each task, such as `4G`."""
    time: str | None = None
    """Time that each task may take, such as `90m`."""
    slots: int | None = None
    """How many tasks of a batch run at the same time."""
    tasks_per_job: int | None = None
    """How many tasks share a batch; on SLURM it and `slots` go together."""
    export: tuple[str, ...] = ()
    """Environment variables that tasks get though their names look secret."""
    workdir: Path | None = None
    """The folder that tasks start in, and that `items` are looked up in; None: the current one.

    Behind SSH it is a folder of the cluster, and None is the run's own; items are always looked up here.
    """
    folder: Path | None = None
    """The folder that the run's own is made in, absolute; None: the resource's folder for jobs."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A launch that can be asked for, and what will come of it."""

    request: LaunchRequest
    plans: tuple[tuple[Step, Plan], ...]
    commands: tuple[tuple[str, ...], ...]
    """For each step the argument list of its first task, with `ARGS_JSON` and `OUT_JSON` for its files."""
    typed: tuple[str, ...]
    """The same as a person would type it."""
    warnings: tuple[str, ...]
    """One sentence each."""


def prepare(
    options: LaunchOptions,
    home: Home,
    stdin: BinaryIO | None = None,
    environ: Mapping[str, str] | None = None,
) -> Prepared:
    """Check all that can be checked without starting anything; write nothing. Reads files, and blocks.

    Raises:
        LaunchError: it can't be launched; one sentence says what to change.
    """
    environ = os.environ if environ is None else environ
    with _about("resource"):
        resource = open_resource(home.resources, options.resource)
    with _about("profile"):
        profile = choose_profile(home.resources, options.resource, resource, options.profile)
    with _about("workdir"):
        workdir = start_folder(resource, options.workdir)
    with _about("folder"):
        folder = project_folder(resource, options.folder)
    items = _items(options, stdin)
    workflow = _workflow(options, with_items=items is not None)
    given = _needs(options)
    steps = [_with_needs(step, given) for step in workflow.steps]
    exported = _exported(options, environ)
    if isinstance(resource, LocalResource):
        environment = task_environment(environ, exported)
    else:
        environment = exported_environment(environ, exported)
    warnings: list[str] = []
    plans, commands, typed = [], [], []
    for step in steps:
        if items is None and options.workflow is None:
            _refuse_items(step)
        mentioned = _check_placeholders(step, items or [])
        if isinstance(resource, LocalResource):
            _check_command(step, mentioned, Path(workdir), environment.variables.get("PATH"))
        else:
            warnings += about_variables(step, environ, exported)
        warnings += about_placeholders(step, mentioned)
        warnings += about_shell_words(step, "--shell" if options.workflow is None else '"shell": true')
        tasks = len(items or ()) if step.type is TaskType.PARALLEL else 1
        plans.append((step, _plan(resource, step, tasks)))
        first = items[0] if items and step.type is TaskType.PARALLEL else None
        commands.append(tuple(render(step, first, 0, args_json="ARGS_JSON", out_json="OUT_JSON")))
        typed.append(as_typed(step, first, 0, args_json="ARGS_JSON", out_json="OUT_JSON"))
    if environment.left_out:
        warnings.append(
            f"Tasks do not get {', '.join(map(shown, environment.left_out))}: the names look secret "
            "(--export NAME hands one on)."
        )
    warnings += [
        f"Step {step.name!r}: {warning}" if len(plans) > 1 else warning
        for step, plan in plans
        for warning in plan.warnings
    ]
    spec = LaunchSpec(
        name=_name(options, workflow),
        resource=options.resource,
        profile=profile,
        workflow=Workflow(name=workflow.name, steps=steps),
        workdir=workdir,
        environment=environment.variables,
        folder=folder,
    )
    request = LaunchRequest(run=new_run_id(), spec=spec, items=items or [])
    if isinstance(resource, LocalResource):
        warnings += about_other_runs(home, options.resource)
    if isinstance(resource, SlurmSSHResource) and options.items:
        warnings.append(
            f"The items are names of files of this machine: on {shown(resource.host)} the same names must "
            f"lead to them from {shown(workdir) if workdir else 'the folder of the run'}."
        )
    return Prepared(request, tuple(plans), tuple(commands), tuple(typed), tuple(dict.fromkeys(warnings)))


@contextmanager
def _about(field: str) -> Iterator[None]:
    """Whatever is wrong inside is wrong with this *field*."""
    try:
        yield
    except (ConfigError, DatasetError, TemplateError) as error:
        raise LaunchError(str(error), field) from error


def _items(options: LaunchOptions, stdin: BinaryIO | None) -> list[Item] | None:
    """The items, or None where none were given."""
    if options.items and options.items_from is not None:
        raise LaunchError("Items come from patterns or from a file: give one of the two.", "items_from")
    if options.items:
        with _about("workdir"):
            folder = folder_here(options.workdir)
        with _about("items"):
            return items_from_globs(options.items, folder)
    if options.items_from is None:
        return None
    with _about("items_from"):
        if str(options.items_from) != "-":
            return items_from_file(Path(options.items_from), nuls=options.nuls)
        if stdin is None:
            raise LaunchError("There is no standard input to read items from.", "items_from")
        form = Form.NULS if options.nuls else Form.LINES
        try:
            return items_from_stream(stdin, "standard input", form)
        except OSError as error:
            raise DatasetError(f"Cannot read standard input ({error.strerror or error}).") from error


def _workflow(options: LaunchOptions, *, with_items: bool) -> Workflow:
    if options.workflow is not None:
        if options.command:
            raise LaunchError("A run is of a workflow or of a command: give one of the two.", "command")
        with _about("workflow"):
            workflow = read_workflow(options.workflow)
        if not with_items and any(step.type is TaskType.PARALLEL for step in workflow.steps):
            raise LaunchError(
                f"The workflow {workflow.name!r} has steps that run for each item, and there are no items: "
                "give --items or --items-from.",
                "items",
            )
        return workflow
    if not options.command or not options.command[0].strip():
        raise LaunchError("There is nothing to run: give a command behind --, or a workflow file.", "command")
    for word in options.command:
        if not is_text(word) or "\0" in word:
            raise LaunchError(f"The word {word!r} of the command is not UTF-8 text.", "command")
    kind = TaskType.PARALLEL if with_items else TaskType.NON_PARALLEL
    name = _command_name(options.command)
    command = [" ".join(options.command)] if options.shell else list(options.command)
    return Workflow(name=name, steps=[Step(name=name, type=kind, command=command, shell=options.shell)])


def _command_name(command: Sequence[str]) -> str:
    """What a run of *command* is called if nothing else is said: the program's name."""
    first = posixpath.basename(command[0].split()[0])
    return first[:LONGEST_NAME] if first.isprintable() and "{" not in first and first else "run"


def _name(options: LaunchOptions, workflow: Workflow) -> str:
    if options.name is None:
        return workflow.name[:LONGEST_NAME]
    name = options.name.strip()
    if not name or len(name) > LONGEST_NAME or has_control(name) or not is_text(name):
        raise LaunchError(
            f"A run can't be named {options.name[:LONGEST_NAME]!r}: a name is one line of text, "
            f"at most {LONGEST_NAME} characters.",
            "name",
        )
    return name


def task_needs(*, cpus: int | None = None, mem: str | None = None, time: str | None = None) -> TaskNeeds:
    """What each task is given, from what a person says of it; as `LaunchOptions` has it.

    Raises:
        LaunchError: one of them can't be; its field tells which.
    """
    return TaskNeeds.model_validate(_needs(LaunchOptions(cpus=cpus, mem=mem, time=time)))


def _needs(options: LaunchOptions) -> dict[str, int]:
    """What the options say of each task and of how they share batches, by the keys of a step's `meta`."""
    given: dict[str, int] = {}
    for field, key, number in (
        ("cpus", "cpus_per_task", options.cpus),
        ("slots", "parallel_tasks_per_job", options.slots),
        ("tasks_per_job", "tasks_per_job", options.tasks_per_job),
    ):
        if number is not None:
            if number < 1:
                raise LaunchError(f"{field} {number} must be 1 or more.", field)
            if number > LARGEST:
                raise LaunchError(f"{field} must be {LARGEST} or less.", field)
            given[key] = number
    for field, text, parse in (("mem", options.mem, parse_memory), ("time", options.time, parse_duration)):
        if text is not None:
            try:
                given[field] = parse(text)
            except ValueError as error:
                raise LaunchError(f"{field} {text!r} {error}.", field) from error
    return given


def _with_needs(step: Step, given: Mapping[str, int]) -> Step:
    """*step* with what is *given* to each task, which goes before what the step says."""
    meta = step.meta.model_dump(exclude_unset=True)
    return step.model_copy(update={"meta": StepMeta.model_validate({**meta, **given})})


def _exported(options: LaunchOptions, environ: Mapping[str, str]) -> tuple[str, ...]:
    for name in options.export:
        if name not in environ:
            raise LaunchError(f"There is no variable {name!r} in the environment to export.", "export")
        if not is_text(environ[name]):
            raise LaunchError(f"The variable {name!r} can't be exported: it is not UTF-8 text.", "export")
    return options.export


def _refuse_items(step: Step) -> None:
    """Say what is missing where a command without items wants one."""
    with _about("command"):
        wants = placeholders(step.model_copy(update={"type": TaskType.PARALLEL})).intersection(ITEM_NAMES)
    if wants:
        raise LaunchError(
            f"The command wants {{{min(wants)}}}, and there are no items: give --items or --items-from.",
            "items",
        )


def _check_placeholders(step: Step, items: Sequence[Item]) -> frozenset[str]:
    """The placeholders of *step*, for all of which every item has a value."""
    with _about("command"):
        mentioned = placeholders(step, columns_of(items))
    columns = mentioned.difference(ITEM_NAMES, PATH_NAMES)
    for number, item in enumerate(items, start=1) if columns else ():
        if missing := columns.difference(item.fields or ()):
            raise LaunchError(
                f"Item {number}, {item.value!r}, has no column {min(missing)!r}, "
                f"which step {step.name!r} needs.",
                "items_from",
            )
    return mentioned


def _check_command(step: Step, mentioned: frozenset[str], workdir: Path, path: str | None) -> None:
    """See to it that the program of *step* is there, where its name is not for placeholders to tell."""
    if step.shell:
        return
    parts = split(step.command[0], mentioned)
    if any(part.name for part in parts):
        return
    program = parts[0].literal
    hint = "; a line for a shell needs --shell" if " " in program else ""
    if "/" not in program:
        if shutil.which(program, path=path) is None:
            raise LaunchError(f"There is no command {program!r} on the PATH{hint}.", "command")
    elif not (file := workdir / program).exists():
        raise LaunchError(f"There is no command {program!r} in {shown(workdir)}{hint}.", "command")
    elif not file.is_file() or not os.access(file, os.X_OK):
        raise LaunchError(
            f"The command {program!r} can't be executed: chmod +x makes a file a program.", "command"
        )


def _plan(resource: Resource, step: Step, tasks: int) -> Plan:
    with _about(""):
        if isinstance(resource, LocalResource):
            return LocalRunner(resource).plan(step, tasks)
        return plan_slurm(tasks, resource.jobs_runner_config, step.meta)
