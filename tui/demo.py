"""The demo: real work on real files, in a home that is thrown away afterwards. Imports no textual.

It works on the `.py` files of Python's standard library: compresses and checksums them, counts their lines,
compiles them. What fails there fails for a real reason: files that are made not to compile, a file that is
gone, one that can't be read to its end in time, and archives that grow over a limit. The work is paced, so
that there is something to watch for a few minutes and the machine stays usable.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runners.config.files import ensure_local_resource
from runners.config.home import Home
from runners.engine.asking import ask
from runners.engine.client import EngineClient, EngineError
from runners.launching import LaunchOptions, prepare
from runners.processes import Owner, sweep
from runners.requests import CancelRequest, RequestKind
from runners.store.reader import Reader

_IDLE_S = "60"
"""How long an engine stays that nobody stopped, because the demo itself was killed."""

_COMPRESSED = 800
"""Files of the run to watch: with its pace and two slots, some three minutes."""

_COUNTED = 150

_CANCELLED = 1
"""Which of the runs is cancelled when it has begun."""

# The limit (64 x 512 bytes) is on the archive; exec makes gzip the one whom the system kills for passing it.
_COMPRESS = """\
set -e
sleep 0.4
sha256sum {item}
ulimit -f 64
exec gzip -9c {item} > {index}.gz"""

_COMPILE = """\
import sys, warnings
warnings.simplefilter("ignore")
with open(sys.argv[1], "rb") as file:
    code = compile(file.read(), sys.argv[1], "exec", dont_inherit=True)
print(sys.argv[1], "has", len(code.co_names), "names")"""

_COUNT = """\
import json, sys, time
time.sleep(0.9)
with open(sys.argv[1], "rb") as file:
    lines = sum(1 for line in file)
print(sys.argv[1], lines)
with open(sys.argv[2], "w") as file:
    json.dump({"lines": lines}, file)"""

_REPORT = """\
import json, os, sys
with open(sys.argv[1]) as file:
    items = json.load(file)["items"]
print(len(items), "files,", sum(os.path.getsize(item) for item in items), "bytes")"""


@contextmanager
def demo_home() -> Iterator[Home]:
    """A home in a temporary folder, with an engine. At the end all that was started is ended and removed.

    Signals that come while the engine starts or ends take effect after that. For the main thread only.

    Raises:
        ConfigError: it can't be made.
        EngineError: the engine can't be started.
    """
    root = Path(tempfile.mkdtemp(prefix="runyard-demo-"))
    home = Home.at(root)
    os.environ.setdefault("RUNYARD_ENGINE_IDLE", _IDLE_S)
    try:
        # An engine that is only half started when everything is cleared away would make the folder anew.
        with _undisturbed():
            home.make()
            ensure_local_resource(home.resources, root)
            asyncio.run(EngineClient(home).ensure_running())
        yield home
    finally:
        with _undisturbed():
            _clear_away(home, root)


def fill(home: Home) -> None:
    """Launch the demo's runs; returns after a second or two, when the first of them are under way.

    Raises:
        LaunchError: one of them can't be launched here, where there is no gzip, say.
        RefusedError: the engine refuses one.
        EngineError: the engine can't be started.
    """
    work = home.config.parent / "work"
    for folder in ("compress", "other"):
        (work / folder).mkdir(parents=True)
    for number, options in enumerate(_runs(work)):
        request = prepare(options, home).request
        asyncio.run(ask(home, RequestKind.LAUNCH, request))
        if number == _CANCELLED:
            _begun(home, request.run)
            asyncio.run(ask(home, RequestKind.CANCEL, CancelRequest(run=request.run)))


def _runs(work: Path) -> list[LaunchOptions]:
    """The runs, in the order of their launch."""
    draw = random.Random(2)
    files = sorted(_library_files())
    draw.shuffle(files)
    odd = [
        file for file in files if "badsyntax" in file or "bad_coding" in file or "lib2to3/tests/data" in file
    ]
    gone = str(work / "gone.py")
    pipe = work / "nobody_writes_to_this_pipe.py"
    os.mkfifo(pipe)
    by_size = sorted(files[:_COMPRESSED], key=os.path.getsize)
    # So early that a failure of each kind is seen soon.
    first = [*files[:5], by_size[-1], gone, by_size[-2], str(pipe)]
    to_compress = list(dict.fromkeys([*first, *files[:_COMPRESSED]]))
    flow = work / "count.json"
    flow.write_text(json.dumps(_counting()))
    other = work / "other"
    return [
        LaunchOptions(
            name="checksum-stdlib",
            command=("sha256sum", "{item}"),
            items_from=_list(work, "checksum", files[:60]),
            workdir=other,
        ),
        LaunchOptions(
            name="cancelled-early",
            command=("sleep 0.2; sha256sum {item}",),
            shell=True,
            items_from=_list(work, "cancelled", files[:100]),
            slots=2,
            workdir=other,
        ),
        LaunchOptions(
            name="compile-odd-ones",
            command=(sys.executable, "-I", "-c", _COMPILE, "{item}"),
            items_from=_list(work, "compile", [*odd, *files[:20], gone]),
            slots=2,
            workdir=other,
        ),
        LaunchOptions(
            name="count-and-report",
            workflow=flow,
            items_from=_list(work, "count", files[:_COUNTED]),
            slots=1,
            workdir=other,
        ),
        LaunchOptions(
            name="compress-stdlib",
            command=(_COMPRESS,),
            shell=True,
            items_from=_list(work, "compress", to_compress),
            time="15s",
            slots=2,
            workdir=work / "compress",
        ),
    ]


def _counting() -> dict[str, object]:
    return {
        "name": "count-and-report",
        "steps": [
            {"name": "count", "command": [sys.executable, "-I", "-c", _COUNT, "{item}", "{out_json}"]},
            {
                "name": "report",
                "type": "non_parallel",
                "command": [sys.executable, "-I", "-c", _REPORT, "{args_json}"],
            },
        ],
    }


def _library_files() -> Iterator[str]:
    for folder, below, names in os.walk(sysconfig.get_path("stdlib")):
        below[:] = [name for name in below if name not in ("site-packages", "__pycache__")]
        yield from (os.path.join(folder, name) for name in names if name.endswith(".py"))


def _list(work: Path, name: str, items: list[str]) -> Path:
    path = work / f"{name}.items"
    path.write_text("".join(f"{item}\n" for item in items))
    return path


def _begun(home: Home, run: str, timeout_s: float = 3.0) -> None:
    """Wait until *run* has a few tasks behind it."""
    store = Reader.open(home.database)
    until = time.monotonic() + timeout_s
    while store.run(run).counts.ended < 3 and time.monotonic() < until:
        time.sleep(0.05)
    store.close()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let the signals that would end us wait until the end of the block."""
    came: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in came:
            signal.raise_signal(late)


def _clear_away(home: Home, root: Path) -> None:
    """End what was started for *home*, and remove *root*."""
    try:
        if home.state.is_dir():
            asyncio.run(EngineClient(home).stop())
    except EngineError:
        # It does not answer. Without work and without its folder it leaves by itself.
        pass
    finally:
        for claim in home.jobs.glob("*/*/batches/*/claim"):
            Owner.of(json.loads(claim.read_bytes())).signal(signal.SIGKILL)
            sweep(claim.parent.name)
        shutil.rmtree(root, ignore_errors=True)
