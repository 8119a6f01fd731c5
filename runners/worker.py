"""The worker: the program that runs inside a batch, locally and on a cluster.

One file, standard library only, Python 3.6 to 3.14: a submission script carries it to hosts where nothing
is installed. A *coordinator* keeps one *agent* per slot, hands each the next task over its standard input and
reads the outcome from its standard output. The coordinator alone writes the batch's event file.

    worker.py launch FOLDER       detach a coordinator; print one JSON line: claimed, duplicate or error
    worker.py coordinate FOLDER   be the coordinator
    worker.py agent               be a slot agent

FOLDER holds ``batch.json`` and ``tasks.jsonl`` (made by the runner) and gets ``claim``,
``events.<restart>.jsonl`` and ``worker.err``; the runner asks for cancellation by making
``control/cancel.<index>`` or ``control/stop``.

For readers that cannot skip the beginning of a file, batch.json may say ``part_bytes``: an event file that
has grown to so many bytes ends with ``next`` and goes on in ``events.<restart>.<part>.jsonl``, part counting
from 1. And ``tail_bytes``: a log of more than four times as many has its end in a file LOG.tail, renewed with
the heartbeats and when the task has ended: a line ``{"offset": ...}``, then the log from there on.

Events, one JSON object a line, ``s`` counting from 1 in each start of the batch, ``t`` in seconds since 1970
by the clock of the coordinator's host:

    hello  v batch run restart host pid python slots tasks notes    notes: what cannot be measured here
    slot   slot state(ready|lost|failed) pid host why               an agent said hello, died, could not start
    start  i slot pid
    end    i slot state(done|failed|cancelled) exit signal why wall cpu rss log
           [left] [result|result_path] [again]
           wall and cpu in s, rss in MB (the peak), log in bytes (0: none kept), null where it is not known;
           below about 16 MB rss tells nothing: execve(2) keeps the peak of the agent that started the task;
           slot is null for a task that was cancelled before its start
    hb     run: [[slot, i, rss, cpu], ...]                          memory now, CPU time so far
    left   i: [[first, last], ...] why [again]                      never started
    next                                                            the file ends: the next part follows
    bye    why counts [again]

``again`` is true where a scheduler has ended the batch from outside, or a slot (which may be the first sign
of that), and may start it again: then these tasks run again. All others stay as they ended.

Between coordinator and agent, one JSON object a line. To the agent: ``{"setup": {...}}``, a line of
tasks.jsonl, ``{"kill": 1}``, ``{"hb": 1}``, ``{"quit": 1}``, or ``{}``, which asks for nothing; the end of
its input means that the coordinator is dead. From the agent: ``{"hello": {...}}``, ``{"e": "start", ...}``,
``{"e": "end", ...}``, ``{"hb": [i, rss, cpu]}``.
"""

import errno
import json
import os
import re
import select
import selectors
import signal
import sys
import time
from array import array

TYPE_CHECKING = False  # importing typing would cost every agent 1 MB
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, NoReturn

VERSION = 1
INLINE_RESULT = 2048  # bytes; an event line stays under 4 KiB
READABLE_RESULT = 16 << 20  # bytes; checking a larger file would cost the slot its memory
AGENT_TRIES = 5
AGENT_GRACE = 3.0  # seconds an agent has, beyond the task's own grace, to end a task
LAUNCH_SECONDS = 20.0
LEFTOVER_TERM, LEFTOVER_KILL = 1.0, 5.0  # seconds after the task's end, then after that
BY_SIGTERM, BY_SIGKILL = (-15, 143), (-9, 137)  # a shell whose child was killed says 128 and the signal
TOGETHER = 0.2  # seconds within which all processes of a step get a signal
ALARM = 2.0  # seconds for which nothing is started, and no end declared, after a slot was ended from outside
FENCE_POLLS = 3  # so often has a coordinator looked at its claim before the next one starts a task
MIB = 1 << 20  # bytes of what SLURM calls a megabyte
TAIL_FROM = 4  # a log of so many times the bytes of its tail has one

encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
monotonic = time.monotonic


class Problem(Exception):
    """One sentence for a person: what, where, why, what to do."""


# ------------------------------------------------------------------------------------------- processes


def read(path: str) -> bytes:
    """A whole file, however small the pieces are in which /proc hands it out; OSError as from open."""
    fd = os.open(path, os.O_RDONLY)
    try:
        data = piece = os.read(fd, 1 << 16)
        while piece:
            piece = os.read(fd, 1 << 16)
            data += piece
        return data
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def complain(data: bytes) -> None:
    try:
        write_all(2, data)
    except OSError:
        pass  # a full disk takes no complaint either, and the work goes on


def to_bytes(text: str) -> bytes:
    """Text from JSON as the system wants it: under LANG=C Python 3.6 would choose ASCII."""
    return text.encode("utf-8", "surrogateescape")


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


def describe_status(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "killed by " + signal_name(os.WTERMSIG(status))
    return "exit code %d" % os.WEXITSTATUS(status)


def watch_signals(*numbers: int) -> int:
    """From now on each of these signals is one byte, its number, to read from the returned descriptor.

    A handler, unlike an ignored signal, is not passed on to the programs that are started."""
    reader, writer = os.pipe()
    for fd in (reader, writer):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(writer)
    for number in numbers:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    return reader


def spawn(argv: "list[bytes]", env: "dict[bytes, bytes]", stdin: int, stdout: int, stderr: int) -> int:
    """Start a program in a session of its own and return its pid; OSError if it cannot be started.

    It is looked for along this process's PATH. All signals are at their default and none is blocked: the
    callers ignore none but the two that Python itself does."""
    try:
        return os.posix_spawnp(
            argv[0],
            argv,
            env,
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate((stdin, stdout, stderr))],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )
    except (AttributeError, NotImplementedError):  # before Python 3.8; built on a C library without it
        import subprocess

        process = subprocess.Popen(
            argv, env=env, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
        process.returncode = 0  # reaped by the caller, who wants the resource usage
        return process.pid


def processes() -> "Iterator[tuple[int, list[bytes]]]":
    """(pid, the fields of /proc/<pid>/stat from the parent's pid on) of every living process."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            try:
                data = read("/proc/%s/stat" % name)
            except OSError:
                continue  # it ended meanwhile
            fields = data[data.rindex(b")") + 2 :].split()
            if fields[0] not in b"ZX":
                yield int(name), fields[1:]


def usage_of_session(leader: int) -> "list[float]":
    """[MB of memory, s of CPU time] of all living processes in a session."""
    pages = ticks = 0
    for _pid, fields in processes():
        if int(fields[2]) == leader:
            pages += int(fields[20])
            ticks += sum(map(int, fields[10:14]))
    return [
        round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1),
        round(ticks / os.sysconf("SC_CLK_TCK"), 2),
    ]


def is_marked(pid: int, marks: "list[bytes]") -> bool:
    try:
        environ = b"\0" + read("/proc/%d/environ" % pid) + b"\0"
    except OSError:
        return False
    return all(b"\0" + mark + b"\0" in environ for mark in marks)


def task_marks(token: str, index: int) -> "list[bytes]":
    return [b"RUNYARD_BATCH=" + to_bytes(token), b"RUNYARD_TASK=%d" % index]


def signal_task(leader: int, marks: "list[bytes]", number: int) -> int:
    """Send a signal (0: only count) to a task's process group and to whatever carries its marks in the
    environment, in other sessions too. Without marks: the group only. Returns how many were alive."""
    if leader:
        try:
            os.killpg(leader, number)
        except OSError:
            if not marks:
                return 0
    found = 0
    for pid, fields in processes():
        if leader and int(fields[1]) == leader:
            found += 1
        elif marks and is_marked(pid, marks):
            found += 1
            try:
                os.kill(pid, number)
            except OSError:
                found -= 1
    return found


def destroy_task(leader: int, marks: "list[bytes]") -> None:
    """SIGKILL a task with all it started, until nothing is left; gives up after a second."""
    until = monotonic() + 1.0
    while signal_task(leader, marks, signal.SIGKILL) and monotonic() < until:
        time.sleep(0.01)


def place() -> str:
    """Where pids mean the same: host, boot and pid namespace."""
    try:
        boot = read("/proc/sys/kernel/random/boot_id").decode().strip()
        return "%s %s %s" % (os.uname().nodename, boot, os.readlink("/proc/self/ns/pid"))
    except OSError:
        return os.uname().nodename


# ------------------------------------------------------------------------------------------------- agent


class OomCounter:
    """How often the kernel killed for memory where this process lives: cgroup v2, v1, or the whole host."""

    def __init__(self) -> None:
        self.path = ""
        self.value = self.age = 0.0
        candidates = []
        try:
            groups = read("/proc/self/cgroup").decode(errors="replace").splitlines()
        except OSError:
            groups = []
        for line in groups:
            _number, controllers, path = line.split(":", 2)
            if not controllers:
                candidates.append("/sys/fs/cgroup%s/memory.events" % path)
            elif "memory" in controllers.split(","):
                candidates.append("/sys/fs/cgroup/memory%s/memory.oom_control" % path)
        for path in candidates + ["/proc/vmstat"]:
            self.path = path
            if self.read() is not None:
                return
        self.path = ""

    def read(self) -> "float | None":
        try:
            for line in read(self.path).splitlines():
                if line.startswith(b"oom_kill "):
                    return float(line[9:])
        except OSError:
            pass  # not there on this host: the next candidate
        return None

    def mark(self) -> None:
        """A task starts. Read at most once a second: short tasks would cost less than the reading."""
        now = monotonic()
        if now - self.age > 1.0:
            self.age = now
            self.value = self.read() or 0.0

    def rose(self) -> bool:
        before, self.value = self.value, self.read() or 0.0
        return self.value > before


def cannot_measure() -> "list[str]":
    """What this Python and host cannot tell about tasks, in words, for the hello event."""
    notes = []
    try:
        import resource  # noqa: F401  (os.wait4 imports it, and loses the status where it is missing)
    except ImportError:
        notes.append("no peak memory and CPU time: this Python lacks the module resource")
    if not any(processes()):
        notes.append("no memory and CPU time of running tasks, no children left behind: /proc cannot be read")
    if not OomCounter().path:
        notes.append("no out-of-memory verdict: no oom_kill counter can be read")
    return notes


def out_of_memory(asked: "float | None", reached: "float | None") -> str:
    """Why a task died, with what is known of it, in SLURM's megabytes."""
    if not asked:
        return "out of memory"
    return "out of memory: asked %d MB" % asked + (", reached %d MB" % reached if reached else "")


def refusal(error: Exception, program: str) -> str:
    """Why a program could not be started, as a sentence fragment."""
    program = program[:200]
    code = getattr(error, "errno", None)
    if code == errno.ENOENT and "/" in program and os.path.exists(to_bytes(program)):
        return "the interpreter in its #! line is missing: " + program
    known = {
        errno.ENOENT: "command not found",
        errno.EACCES: "permission denied",
        errno.ENOEXEC: "not a program (no #! line?)",
        errno.E2BIG: "arguments too long",
    }
    return "%s: %s" % (known.get(code or 0) or reason(error), program)


def not_run(state: str, why: str) -> "dict[str, Any]":
    """The facts about the end of a task that never ran."""
    facts = {"state": state, "exit": None, "signal": None, "why": why}  # type: dict[str, Any]
    facts.update(wall=0.0, cpu=0.0, rss=0.0, log=0)
    return facts


def reason(error: Exception) -> str:
    """What the system said, without number and path: the sentence around it names them."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:1].lower() + str(text)[1:300]


class Running:
    """The task an agent is busy with."""

    def __init__(self, order: "dict[str, Any]") -> None:
        self.index = int(order["i"])
        self.log = to_bytes(order["log"])
        self.out = to_bytes(order["out_path"]) if order.get("out_path") else b""
        self.limit = order.get("limit")
        self.pid = 0
        self.log_fd = -1
        self.tailed = 0  # bytes that the log had when its tail was kept
        self.started = monotonic()
        self.verdict = ("", "")  # state and why, once this agent has decided to end it
        self.kill_at = 0.0


class Leftover:
    """What a task left behind in its process group (and, when it was killed, in other sessions)."""

    def __init__(self, leader: int, marks: "list[bytes]") -> None:
        self.leader = leader
        self.marks = marks
        self.signal = signal.SIGTERM
        self.at = monotonic() + LEFTOVER_TERM


class Agent:
    """One slot: runs the tasks it is given, one at a time."""

    def __init__(self) -> None:
        self.signals = watch_signals(
            signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2
        )
        for number in range(1, signal.NSIG):
            # What the caller ignored (nohup) must not reach tasks; spawn itself restores what Python ignores.
            if number not in (signal.SIGPIPE, signal.SIGXFSZ):
                try:
                    if signal.getsignal(number) == signal.SIG_IGN:
                        signal.signal(number, signal.SIG_DFL)
                except (OSError, ValueError):
                    continue  # reserved by the C library
        self.inbox = b""
        self.task = None  # type: Running | None
        self.leftovers = []  # type: list[Leftover]
        self.quitting = False
        self.oom = OomCounter()
        self.null = os.open(os.devnull, os.O_RDONLY)
        try:
            import resource  # noqa: F401  (see cannot_measure)

            self.has_usage = True
        except ImportError:
            self.has_usage = False

    def send(self, message: "dict[str, Any]") -> None:
        try:
            write_all(1, to_bytes(encode(message) + "\n"))
        except OSError:
            self.abandon()

    def abandon(self) -> "NoReturn":
        """The coordinator is dead: nothing may outlive it."""
        if self.task:
            destroy_task(self.task.pid, task_marks(self.token, self.task.index))
        for leftover in self.leftovers:
            destroy_task(leftover.leader, leftover.marks)
        sys.exit(0)

    def run(self) -> None:
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(self.signals, select.POLLIN)
        while not (self.quitting and not self.task and not self.leftovers):
            for fd, _mask in poll.poll(self.timeout()):
                if fd == self.signals:
                    if signal.SIGTERM in os.read(self.signals, 4096):
                        self.kill("cancelled", "terminated")  # the coordinator knows what it means
                else:
                    self.receive()
            if self.task:
                self.reap(self.task)
            if self.task or self.leftovers:
                self.tick()

    def receive(self) -> None:
        data = os.read(0, 1 << 16)
        if not data:
            self.abandon()
        lines = (self.inbox + data).split(b"\n")
        self.inbox = lines.pop()
        for line in lines:
            message = json.loads(line.decode("utf-8", "surrogatepass"))
            if "argv" in message:
                self.begin(message)
            elif "kill" in message:
                self.kill("cancelled", "terminated")
            elif "hb" in message:
                if self.task:
                    self.send({"hb": [self.task.index] + usage_of_session(self.task.pid)})
                    self.keep_tail(self.task)
            elif "quit" in message:
                self.quitting = True
            elif "setup" in message:
                self.set_up(message["setup"])

    def set_up(self, setup: "dict[str, Any]") -> None:
        self.token = setup["batch"]
        self.grace = setup["grace"]
        self.scheduled = setup["inherit"]
        self.tail = setup["tail"]
        self.memory = setup["memory"]
        # What srun sets (the GPUs of a step) is known to the agent alone.
        self.env = dict(os.environb) if setup["inherit"] else {}
        self.env.update((to_bytes(name), to_bytes(value)) for name, value in setup["env"].items())
        if b"PATH" in self.env:
            os.environb[b"PATH"] = self.env[b"PATH"]
        else:
            os.environb.pop(b"PATH", None)
        try:
            os.chdir(to_bytes(setup["workdir"]))
        except OSError as error:
            sys.exit(
                "the folder to work in cannot be entered: %s: %s" % (reason(error), ascii(setup["workdir"]))
            )
        self.send({"hello": {"pid": os.getpid(), "host": os.uname().nodename, "place": place()}})

    # -- one task

    def begin(self, order: "dict[str, Any]") -> None:
        task = Running(order)
        try:
            self.prepare(task, order)
        except (OSError, ValueError) as error:
            self.fail_to_start(task, reason(error))
            return
        self.oom.mark()
        self.env[b"RUNYARD_TASK"] = b"%d" % task.index
        try:
            argv = [to_bytes(argument) for argument in order["argv"]]
            task.pid = spawn(argv, self.env, self.null, task.log_fd, task.log_fd)
        except (OSError, ValueError) as error:
            self.fail_to_start(task, refusal(error, order["argv"][0]))
            return
        self.task = task
        self.send({"e": "start", "i": task.index, "pid": task.pid})

    def prepare(self, task: Running, order: "dict[str, Any]") -> None:
        """Open the log, remove the result of an earlier try, write the arguments; OSError says which."""
        # To read its end through the same descriptor: the task may have put something else in its place.
        flags = os.O_RDWR if self.tail else os.O_WRONLY
        flags |= os.O_CREAT | os.O_TRUNC | os.O_APPEND
        what = "log"
        try:
            try:
                task.log_fd = os.open(task.log, flags, 0o666)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(task.log), exist_ok=True)
                task.log_fd = os.open(task.log, flags, 0o666)
            if self.tail and os.path.lexists(task.log + b".tail"):
                os.unlink(task.log + b".tail")
            what = "result"
            if task.out and os.path.lexists(task.out):
                os.unlink(task.out)
            what = "arguments"
            if "args" in order:
                with open(to_bytes(order["args_path"]), "w") as file:
                    json.dump(order["args"], file)
        except OSError as error:
            raise OSError(error.errno, "%s (%s)" % (error.strerror, what))

    def fail_to_start(self, task: Running, why: str) -> None:
        self.close_log(task)
        self.send(dict(not_run("failed", why), e="end", i=task.index))

    def close_log(self, task: Running, keep: bool = False) -> int:
        """Bytes in the log; an empty one is removed unless something may still write to it."""
        if task.log_fd < 0:
            return 0
        size = os.fstat(task.log_fd).st_size
        os.close(task.log_fd)
        if not size and not keep:
            try:
                os.unlink(task.log)
            except OSError:
                pass  # the task itself removed it
        return size

    def keep_tail(self, task: Running) -> None:
        """The end of a large log as a file, if the log has grown since."""
        size = os.fstat(task.log_fd).st_size
        if not self.tail or size <= TAIL_FROM * self.tail or size == task.tailed:
            return
        offset = size - self.tail
        draft = task.log + b".tail.draft"
        try:
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            try:
                write_all(fd, b'{"offset":%d}\n' % offset + os.pread(task.log_fd, self.tail, offset))
            finally:
                os.close(fd)
            os.rename(draft, task.log + b".tail")
            task.tailed = size
        except OSError:
            pass  # no room: the log itself is there, and the next heartbeat tries again

    def kill(self, state: str, why: str) -> None:
        """End the running task: SIGTERM now, SIGKILL after the grace."""
        if self.task and not self.task.kill_at:
            self.task.verdict = (state, why)
            self.task.kill_at = monotonic() + self.grace
            signal_task(self.task.pid, task_marks(self.token, self.task.index), signal.SIGTERM)

    def reap(self, task: Running) -> None:
        """If the task's main process has ended, report it and free the slot."""
        cpu = rss = None
        if self.has_usage:
            pid, status, usage = os.wait4(task.pid, os.WNOHANG)
            cpu = round(usage.ru_utime + usage.ru_stime, 3)
            rss = round(usage.ru_maxrss * 1024 / 1e6, 1)
        else:
            pid, status = os.waitpid(task.pid, os.WNOHANG)
        if not pid:
            return
        killed = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        if self.scheduled and killed in BY_SIGTERM and not task.kill_at and self.is_terminated():
            task.kill_at, task.verdict = monotonic(), ("cancelled", "terminated")
        self.task = None
        marks = task_marks(self.token, task.index) if task.kill_at else []
        left = signal_task(task.pid, marks, 0)
        if left:
            self.leftovers.append(Leftover(task.pid, marks))
        ended = {
            "e": "end",
            "i": task.index,
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": signal_name(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else None,
            "wall": round(monotonic() - task.started, 3),
            "cpu": cpu,
            "rss": rss,
            "log": 0,
        }  # type: dict[str, Any]
        self.keep_tail(task)
        ended["log"] = self.close_log(task, keep=left > 0)
        if left:
            ended["left"] = left
        if task.kill_at:
            ended["state"], ended["why"] = task.verdict
        elif status:
            ended["state"] = "failed"
            reached = rss * 1e6 / MIB if rss else None
            memory = killed in BY_SIGKILL and self.oom.rose()
            ended["why"] = out_of_memory(self.memory, reached) if memory else describe_status(status)
        else:
            ended["state"], ended["why"] = "done", ""
            if task.out:
                ended.update(self.result(task.out))
        self.send(ended)

    def is_terminated(self) -> bool:
        """Whether this agent is told to end as well: a scheduler tells all processes of a step at once."""
        until = monotonic() + TOGETHER
        while monotonic() < until:
            if select.select([self.signals], [], [], max(0.0, until - monotonic()))[0]:
                if signal.SIGTERM in os.read(self.signals, 4096):
                    return True
        return False

    def result(self, path: bytes) -> "dict[str, Any]":
        """What a well-ended task says in its out file, if it made one."""
        try:
            if os.stat(path).st_size > READABLE_RESULT:
                return {"result_path": path.decode("utf-8", "replace")}
            with open(path, "rb") as file:
                value = json.loads(file.read().decode("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            return {"state": "failed", "why": "bad result"}
        try:
            if len(encode(value)) <= INLINE_RESULT:
                return {"result": value}
        except ValueError:
            pass  # NaN: Python reads it, other readers of the events would not
        return {"result_path": path.decode("utf-8", "replace")}

    # -- time

    def timeout(self) -> "int | None":
        """Milliseconds until the next thing is due."""
        due = [leftover.at for leftover in self.leftovers]
        if self.task:
            if self.task.kill_at:
                due.append(self.task.kill_at)
            elif self.task.limit is not None:
                due.append(self.task.started + self.task.limit)
        # An hour at most: the system takes no more than 24 days.
        return max(0, min(3600000, int((min(due) - monotonic()) * 1000) + 1)) if due else None

    def tick(self) -> None:
        now = monotonic()
        task = self.task
        if task and task.kill_at:
            if now >= task.kill_at:
                task.kill_at = now + 1.0
                signal_task(task.pid, task_marks(self.token, task.index), signal.SIGKILL)
        elif task and task.limit is not None and now >= task.started + task.limit:
            self.kill("failed", "time limit of %g s reached" % task.limit)
        for leftover in [one for one in self.leftovers if now >= one.at]:
            # A process with the leader's number is a stranger: it is given anew once the group is gone.
            gone = os.path.exists("/proc/%d" % leftover.leader)
            if gone or not signal_task(leftover.leader, leftover.marks, leftover.signal):
                self.leftovers.remove(leftover)
            leftover.signal = signal.SIGKILL
            leftover.at = now + LEFTOVER_KILL


# ------------------------------------------------------------------------------------------- coordinator


class Batch:
    """What the runner asks for: batch.json and the places of the tasks in tasks.jsonl. Raises Problem."""

    def __init__(self, folder: str) -> None:
        path = os.path.join(folder, "batch.json")
        try:
            with open(path, "rb") as file:
                given = json.loads(file.read().decode("utf-8", "surrogatepass"))
            self.token = str(given["batch"])
            self.run = str(given["run"])
            self.slots = int(given["slots"])
            self.workdir = str(given["workdir"])
            self.env = {str(name): str(value) for name, value in given["env"].items()}
            self.heartbeat = float(given["heartbeat"])
            self.grace = float(given["grace"])
            self.control_poll = float(given["control_poll"])
            self.agent = [str(argument) for argument in given["agent"]]
            self.inherit = bool(given.get("inherit"))
            self.memory = float(given.get("memory") or 0)
            self.part_bytes = int(given.get("part_bytes") or 0)
            self.tail_bytes = int(given.get("tail_bytes") or 0)
            if given["version"] != VERSION:
                raise ValueError("it is of version %s, this worker knows %d" % (given["version"], VERSION))
            if self.slots < 1:
                raise ValueError("slots must be 1 or more, not %d" % self.slots)
            if self.heartbeat <= 0 or self.control_poll <= 0:
                raise ValueError("heartbeat and control_poll must be more than 0 s")
        except KeyError as error:
            raise Problem("%s cannot be used: %s is missing; launch the batch again." % (path, error))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise Problem("%s cannot be used: %s; launch the batch again." % (path, reason(error)))
        if not os.path.isdir(to_bytes(self.workdir)):
            raise Problem("The folder to work in is not there: %s; make it and launch again." % self.workdir)
        self.read_tasks(os.path.join(folder, "tasks.jsonl"))

    def read_tasks(self, path: str) -> None:
        """Check each line and remember where it is: the tasks themselves stay on disk until their turn."""
        self.indices = array("q")
        self.offsets = array("q", [0])
        number = 0
        try:
            self.tasks_fd = os.open(path, os.O_RDONLY)
            with open(path, "rb") as file:
                for line in file:
                    number += 1
                    task = json.loads(line.decode("utf-8", "surrogatepass"))
                    if not isinstance(task, dict):
                        raise ValueError("it is not an object")
                    argv = task["argv"]
                    if not (argv and isinstance(argv, list) and all(isinstance(one, str) for one in argv)):
                        raise ValueError("argv must be a list of one or more texts")
                    for text in argv + [task["log"]]:
                        to_bytes(text)
                    if not isinstance(task.get("limit", 0), (int, float, type(None))):
                        raise ValueError("limit must be seconds or null")
                    if not isinstance(task["log"], str) or ("args" in task) != ("args_path" in task):
                        raise ValueError("log must be a path, and args needs args_path")
                    if not isinstance(task["i"], int):
                        raise ValueError("i must be a whole number")
                    self.indices.append(task["i"])
                    self.offsets.append(self.offsets[-1] + len(line))
        except KeyError as error:
            raise Problem(
                "%s, line %d cannot be used: %s is missing; launch the batch again." % (path, number, error)
            )
        except (OSError, ValueError, TypeError) as error:
            raise Problem(
                "%s, line %d cannot be used: %s; launch the batch again." % (path, number, reason(error))
            )
        if len(set(self.indices)) != len(self.indices):
            raise Problem("%s cannot be used: an index is there twice; launch the batch again." % path)

    def line(self, position: int) -> bytes:
        start, end = self.offsets[position], self.offsets[position + 1]
        return os.pread(self.tasks_fd, end - start, start).rstrip(b"\n") + b"\n"


class Claim:
    """The right to run a batch: a file that only one coordinator can make."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, "claim")
        self.restart = int(os.environ.get("SLURM_RESTART_COUNT") or 0)
        start = 0
        try:
            stat = read("/proc/self/stat")
            start = int(stat[stat.rindex(b")") + 2 :].split()[19])
            boot = read("/proc/sys/kernel/random/boot_id").decode().strip()
        except OSError:
            boot = ""
        self.mine = {
            "id": os.environ.get("SLURM_JOB_ID") or "%d.%d" % (os.getpid(), start),
            "pid": os.getpid(),
            "start": start,
            "boot": boot,
            "host": os.uname().nodename,
            "restart": self.restart,
        }  # type: dict[str, Any]

    def take(self) -> "dict[str, Any]":
        """Claim the batch, or return the claim of who has it. Raises OSError."""
        draft = "%s.%s.%d" % (self.path, self.mine["host"], os.getpid())
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            try:
                write_all(fd, to_bytes(encode(self.mine) + "\n"))
                os.fsync(fd)
            finally:
                os.close(fd)
            try:
                os.link(draft, self.path)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.EIO):
                    raise
            holder = json.loads(read(self.path).decode())  # type: dict[str, Any]
            # A network file system may make the link and still report an error: only the content tells.
            if holder["id"] == self.mine["id"] and holder["restart"] < self.restart:
                os.rename(draft, self.path)
                return self.mine
            return holder
        finally:
            try:
                os.unlink(draft)
            except FileNotFoundError:
                pass


def events_path(folder: str, restart: int, part: int) -> str:
    return os.path.join(folder, "events.%d%s.jsonl" % (restart, ".%d" % part if part else ""))


class Slot:
    """A place where a task can run, and the agent that serves it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.agent = 0  # pid of the agent, or of the command it was started through; 0: none
        self.place = ""
        self.ready = False
        self.task = None  # type: int | None
        self.task_pid = 0
        self.began = 0.0
        self.verdict = ""  # why the coordinator ends the task
        self.kill_by = 0.0  # monotonic; when the agent must have done so
        self.sample = []  # type: list[float]
        self.tries = 0
        self.start_at = 0.0  # monotonic; when the agent is to be started (again)
        self.given_up = False
        self.stdin = self.stdout = self.stderr = -1
        self.inbox = b""
        self.outbox = b""
        self.tail = b""

    def said(self) -> str:
        """The end of what came on standard error, on one line."""
        return " ".join(self.tail.decode("utf-8", "replace").split())[-300:]


class Coordinator:
    """Hands tasks to slots and writes down what becomes of them."""

    def __init__(self, folder: str, batch: Batch, restart: int) -> None:
        self.batch = batch
        self.folder = folder
        self.restart = restart
        self.part = 0
        self.events_fd = self.open_events()
        self.sequence = 0
        self.unwritten = [b""]  # for the part that is being written, and for those that follow it
        self.part_size = 0  # bytes of the last of these parts
        self.retry_at = 0.0  # monotonic; when to try to write again, 0: writing works
        self.signals = watch_signals(
            signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD
        )
        self.deaths = False  # an agent may have died
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.signals, selectors.EVENT_READ, self.heed_signals)
        self.slots = [Slot(number) for number in range(min(batch.slots, len(batch.indices)))]
        self.idle = []  # type: list[Slot]
        self.position = 0  # the first task in the list that was not looked at
        self.skipped = set()  # type: set[int]
        self.positions = {}  # type: dict[int, int]
        self.counts = {"done": 0, "failed": 0, "cancelled": 0, "left": 0}
        self.interrupted = False  # a task may run again, once the scheduler starts the batch again
        self.ending = ""  # why nothing new is started any more
        self.control_seen = -1
        self.control_due = self.control_settled = 0.0
        self.honoured = set()  # type: set[str]
        self.beat_due = monotonic() + batch.heartbeat
        self.beat_asked = set()  # type: set[int]
        self.beat_open = False
        self.beat_bytes = 0
        self.closing = False
        self.place = place()
        self.parted = True  # the coordinator before this one has said bye
        self.fence = 0.0  # monotonic; until then that one may be alive, 0: it is not
        self.alarm = 0.0  # monotonic; until then a scheduler may be ending this job
        self.take_up()
        if not self.parted:
            self.fence = monotonic() + FENCE_POLLS * batch.control_poll

    def take_up(self) -> None:
        """After a requeue: what came to its end in an earlier run of this batch is not run again."""
        for restart in range(self.restart):
            part = 0
            while self.take_up_part(events_path(self.folder, restart, part)):
                part += 1

    def take_up_part(self, path: str) -> bool:
        """False where there is no such file: that run of the batch got no further."""
        try:
            file = open(path, "rb")
        except FileNotFoundError:
            return False
        with file:
            for line in file:
                try:
                    if b'"e":"end"' in line:
                        event = json.loads(line.decode())
                        if not event.get("again"):
                            self.skip(self.position_of(event["i"]), event["state"])
                    elif b'"e":"left"' in line:
                        event = json.loads(line.decode())
                        # The runner has given these to others, or a verdict.
                        for first, last in () if event.get("again") else event["i"]:
                            for position, index in enumerate(self.batch.indices):
                                if first <= index <= last:
                                    self.skip(position, "left")
                    elif b'"e":"hello"' in line or b'"e":"bye"' in line:
                        self.parted = b'"e":"bye"' in line
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue  # torn when its host died
        return True

    def skip(self, position: int, how: str) -> None:
        if position >= 0 and position not in self.skipped:
            self.counts[how] += 1
            self.skipped.add(position)

    def position_of(self, index: int) -> int:
        """Where a task is in the list; -1 if it is not."""
        if not self.positions:
            self.positions = {index: position for position, index in enumerate(self.batch.indices)}
        return self.positions.get(index, -1)

    # -- events

    def open_events(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        return os.open(events_path(self.folder, self.restart, self.part), flags, 0o600)

    def event(self, kind: str, **facts: "Any") -> int:
        """Note what has happened, to be written by flush; returns the bytes of it."""
        self.sequence += 1
        head = {"s": self.sequence, "t": round(time.time(), 3), "e": kind}
        head.update(facts)
        line = to_bytes(encode(head) + "\n")
        self.unwritten[-1] += line
        self.part_size += len(line)
        if kind == "next":
            self.unwritten.append(b"")
            self.part_size = 0
        elif 0 < self.batch.part_bytes <= self.part_size and kind != "bye":
            self.event("next")
        return len(line)

    def is_written(self) -> bool:
        return self.unwritten == [b""]

    def flush(self) -> None:
        """Write what has happened. What cannot be written now (a full disk) is kept and tried again.

        When the file is written but has been removed, nobody will ever read it: the batch stops."""
        wrote = not self.is_written()
        try:
            while not self.is_written():
                if self.unwritten[0]:
                    self.unwritten[0] = self.unwritten[0][os.write(self.events_fd, self.unwritten[0]) :]
                else:
                    self.turn_page()
            self.retry_at = 0.0
            if wrote and not os.fstat(self.events_fd).st_nlink:
                self.stop("event file removed")
        except OSError as error:
            if not self.retry_at:
                complain(b"Events cannot be written: %s. Trying again.\n" % to_bytes(reason(error)))
            self.retry_at = monotonic() + 1.0

    def turn_page(self) -> None:
        """Go on in the next part of the event file; OSError when it cannot be made yet."""
        full = self.events_fd
        self.part += 1
        try:
            self.events_fd = self.open_events()
        except OSError:
            self.part -= 1
            raise
        os.close(full)
        self.unwritten.pop(0)

    def end(self, index: int, slot: "int | None", facts: "dict[str, Any]") -> None:
        self.counts[facts["state"]] += 1
        facts.update(i=index, slot=slot)
        self.event("end", **facts)

    # -- the loop

    def run(self) -> None:
        """Until each task has its verdict. Then `bye`."""
        batch = self.batch
        self.event("hello", v=VERSION, batch=batch.token, run=batch.run, restart=self.restart,
                   host=os.uname().nodename, pid=os.getpid(), python="%d.%d.%d" % sys.version_info[:3],
                   slots=batch.slots, tasks=len(batch.indices), notes=cannot_measure())  # fmt: skip
        while True:
            self.tick()
            self.flush()
            self.assign()
            if self.is_over():
                break
            self.turn(self.pause())
        self.say_bye()
        while not self.is_written():
            self.flush()
            if not self.is_written():
                time.sleep(1.0)
        self.dismiss_agents()

    def turn(self, seconds: float) -> None:
        registered = self.selector.get_map()
        for key, _mask in self.selector.select(seconds):
            if registered.get(key.fd) is key:  # else an earlier one of these has closed it
                key.data()
        while self.deaths:
            self.deaths = False
            self.find_dead()

    def busy(self) -> "list[Slot]":
        return [slot for slot in self.slots if slot.task is not None]

    def slots_to_start(self) -> "list[Slot]":
        if self.ending or self.exhausted():
            return []
        return [slot for slot in self.slots if not slot.agent and not slot.given_up]

    def exhausted(self) -> bool:
        while self.position < len(self.batch.indices) and self.position in self.skipped:
            self.position += 1
        return self.position == len(self.batch.indices)

    def is_over(self) -> bool:
        if self.busy() or (self.alarm and not self.ending):
            return False
        return bool(self.ending) or self.exhausted() or all(slot.given_up for slot in self.slots)

    def assign(self) -> None:
        """A free slot gets the next task at once; none while what happened cannot be written down."""
        held = self.ending or self.retry_at or self.fence or self.alarm
        while self.idle and not (held or self.exhausted()):
            slot = self.idle.pop()
            slot.task = self.batch.indices[self.position]
            slot.task_pid = 0
            slot.began = monotonic()
            slot.verdict = ""
            slot.sample = []
            self.send(slot, self.batch.line(self.position))
            self.position += 1

    def pause(self) -> float:
        """Seconds until something is due."""
        due = [self.beat_due, self.control_due]
        due += [max(slot.start_at, self.alarm) for slot in self.slots_to_start()]
        due += [slot.kill_by for slot in self.busy() if slot.verdict]
        due += [moment for moment in (self.retry_at, self.fence, self.alarm) if moment]
        return max(0.0, min(due) - monotonic())

    def tick(self) -> None:
        now = monotonic()
        if now >= self.control_due:
            self.control_due = now + self.batch.control_poll
            self.look_at_control()
            self.look_at_claim()
        if self.fence and now >= self.fence:
            self.fence = 0.0
            self.take_up()  # what the one before this did last
        if now >= self.alarm:
            self.alarm = 0.0
        if now >= self.beat_due or (self.beat_open and not self.beat_asked):
            self.beat(now)
        for slot in self.slots_to_start():
            if now >= max(slot.start_at, self.alarm):
                self.start_agent(slot)
        for slot in self.busy():
            if slot.verdict and now >= slot.kill_by:
                slot.kill_by = now + 1.0
                os.killpg(slot.agent, signal.SIGKILL)  # the agent itself hangs

    # -- agents

    def start_agent(self, slot: Slot) -> None:
        argv = self.batch.agent + [sys.executable, "-I", "-S", os.path.abspath(__file__), "agent"]
        slot.inbox = slot.outbox = slot.tail = b""
        ours = []  # type: list[int]
        its = []  # type: list[int]
        try:
            for number in range(3):
                reader, writer = os.pipe()
                ours.append(reader if number else writer)
                its.append(writer if number else reader)
            slot.agent = spawn([to_bytes(one) for one in argv], dict(os.environb), *its)
        except OSError as error:  # also where there are more slots than this process may have files open
            slot.tail = to_bytes(refusal(error, argv[0]))
        for fd in its if slot.agent else its + ours:
            os.close(fd)
        if not slot.agent:
            self.lose(slot, "")
            return
        for fd in ours:
            os.set_blocking(fd, False)
        slot.stdin, slot.stdout, slot.stderr = ours
        self.selector.register(slot.stdout, selectors.EVENT_READ, lambda: self.on_agent(slot))
        self.selector.register(slot.stderr, selectors.EVENT_READ, lambda: self.on_complaint(slot))
        env = dict(self.batch.env)
        env.update(RUNYARD_RUN=self.batch.run, RUNYARD_BATCH=self.batch.token, RUNYARD_SLOT=str(slot.number))
        setup = {
            "batch": self.batch.token,
            "grace": self.batch.grace,
            "workdir": self.batch.workdir,
            "env": env,
            "inherit": self.batch.inherit,
            "tail": self.batch.tail_bytes,
            "memory": self.batch.memory,
        }
        self.send(slot, to_bytes(encode({"setup": setup}) + "\n"))

    def send(self, slot: Slot, data: bytes) -> None:
        """Never waits: what an agent does not take now goes when it reads again."""
        waiting = bool(slot.outbox)
        slot.outbox += data
        if not waiting:
            self.on_writable(slot)

    def on_writable(self, slot: Slot) -> None:
        try:
            slot.outbox = slot.outbox[os.write(slot.stdin, slot.outbox) :]
        except BlockingIOError:
            pass
        except OSError:
            slot.outbox = b""  # the agent is dead, as its output will tell
        registered = slot.stdin in self.selector.get_map()
        if slot.outbox and not registered:
            self.selector.register(slot.stdin, selectors.EVENT_WRITE, lambda: self.on_writable(slot))
        elif registered and not slot.outbox:
            self.selector.unregister(slot.stdin)

    def on_agent(self, slot: Slot) -> None:
        if not self.hear(slot):
            self.on_agent_gone(slot)

    def hear(self, slot: Slot) -> bool:
        """Take in what an agent says; False when it has closed its output."""
        data = os.read(slot.stdout, 1 << 16)
        lines = (slot.inbox + data).split(b"\n")
        slot.inbox = lines.pop()
        for line in lines:
            try:
                message = json.loads(line.decode())
                kind = message.pop("e", "")
            except (ValueError, AttributeError, TypeError):
                # The command it was started through has something to say.
                slot.tail = (slot.tail + line + b"\n")[-2000:]
                continue
            if kind == "start":
                slot.task_pid = message["pid"]
                self.event("start", i=message["i"], slot=slot.number, pid=slot.task_pid)
                if self.batch.agent:
                    # A step's line holds its second message back until the first is acknowledged, which the
                    # system puts off for 40 ms unless something goes the other way.
                    self.send(slot, b"{}\n")
            elif kind == "end":
                slot.task = None
                self.idle.append(slot)
                self.beat_asked.discard(slot.number)
                if (message["state"], message["why"]) == ("cancelled", "terminated"):
                    self.heed_signals()
                    message.update(self.from_outside(slot, "cancelled", "terminated"))
                self.end(message["i"], slot.number, message)
            elif "hb" in message:
                if message["hb"][0] == slot.task:
                    slot.sample = message["hb"][1:]
                self.beat_asked.discard(slot.number)
            elif "hello" in message:
                hello = message["hello"]
                slot.ready, slot.tries, slot.place = True, 0, hello["place"]
                self.idle.append(slot)
                self.event(
                    "slot", slot=slot.number, state="ready", pid=hello["pid"], host=hello["host"], why=""
                )
        return bool(data)

    def find_dead(self) -> None:
        """Agents that are dead although something that they were started through holds their output open."""
        for slot in self.slots:
            if slot.agent and os.waitid(os.P_PID, slot.agent, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                try:
                    self.hear(slot)  # its last words: a pipe holds no more than one reading
                except BlockingIOError:
                    pass
                self.on_agent_gone(slot)

    def on_complaint(self, slot: Slot) -> None:
        """What an agent, or the command it was started through, says on standard error."""
        try:
            data = os.read(slot.stderr, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self.selector.unregister(slot.stderr)
            return
        slot.tail = (slot.tail + data)[-2000:]
        complain(data)

    def on_agent_gone(self, slot: Slot) -> None:
        self.heed_signals()  # what ended it may have told us too
        try:
            os.killpg(slot.agent, signal.SIGKILL)  # it may have closed its output and live on
        except OSError:
            pass
        _pid, status = os.waitpid(slot.agent, 0)
        if slot.stderr in self.selector.get_map():
            self.on_complaint(slot)
        for fd in (slot.stdin, slot.stdout, slot.stderr):
            if fd in self.selector.get_map():
                self.selector.unregister(fd)
        if slot.task is not None and slot.place == self.place:
            # Elsewhere the end of the SLURM step does this.
            destroy_task(slot.task_pid, task_marks(self.batch.token, slot.task))
        self.lose(slot, describe_status(status))

    def lose(self, slot: Slot, how: str) -> None:
        """An agent died, or could not be started: its task fails, its slot is started again."""
        if slot.agent:
            for fd in (slot.stdin, slot.stdout, slot.stderr):
                os.close(fd)
        slot.agent = 0
        self.beat_asked.discard(slot.number)
        if slot in self.idle:
            self.idle.remove(slot)
        if self.closing:
            return
        said = slot.said()
        why = ": ".join(part for part in (how, said) if part)
        if slot.ready:
            slot.ready = False
            slot.start_at = monotonic()
            self.event("slot", slot=slot.number, state="lost", why=why)
        else:
            slot.tries += 1
            slot.given_up = slot.tries >= AGENT_TRIES
            slot.start_at = monotonic() + min(30.0, 0.1 * 2 ** (slot.tries - 1))
            self.event("slot", slot=slot.number, state="failed", why=why)
        if slot.task is not None:
            memory = "" if slot.verdict else self.memory_words(slot)
            facts = not_run("failed", memory or "slot agent died (%s)" % how)
            if not memory:
                facts.update(self.from_outside(slot, facts["state"], facts["why"]))
            rss, cpu = slot.sample or (None, None)
            facts.update(wall=round(monotonic() - slot.began, 3), cpu=cpu, rss=rss, log=None)
            self.end(slot.task, slot.number, facts)
            slot.task = None

    def memory_words(self, slot: Slot) -> str:
        """slurmstepd tells on standard error why it ended a step; empty where that was not for memory."""
        said = slot.tail.decode("utf-8", "replace")
        # jobacct_gather counts bytes.
        numbers = re.search(r"exceeded memory limit \((\d+) > (\d+)\)", said)
        if numbers:
            reached, asked = (int(number) / MIB for number in numbers.groups())
            return out_of_memory(asked, reached)
        if re.search(r"exceeded .*memory limit|\boom[-_ ]?kill|out[- ]of[- ]memory", said, re.IGNORECASE):
            return out_of_memory(self.batch.memory, slot.sample[0] * 1e6 / MIB if slot.sample else None)
        return ""

    def from_outside(self, slot: Slot, state: str, why: str) -> "dict[str, Any]":
        """On a task that was ended from outside, or lost its agent: as given, if no more is known."""
        asked = slot.verdict or (self.ending if self.ending == "time limit" else "")
        if asked == "time limit":
            return {"state": "failed", "why": "time limit of the job reached"}
        if asked:
            state, why = "cancelled", asked
        # Without a scheduler nobody would start it again.
        if self.batch.agent and asked in ("", "terminated"):
            self.alarm = monotonic() + ALARM
            self.interrupted = True
            return {"state": state, "why": why, "again": True}
        return {"state": state, "why": why}

    def dismiss_agents(self) -> None:
        """Let the agents end what tasks left behind, then end them."""
        self.closing = True
        for slot in self.slots:
            if slot.agent and slot.ready:
                self.send(slot, b'{"quit":1}\n')
            elif slot.agent:
                os.killpg(slot.agent, signal.SIGTERM)
        until = monotonic() + LEFTOVER_TERM + 2 * LEFTOVER_KILL
        while any(slot.agent for slot in self.slots):
            self.turn(1.0)
            if monotonic() > until:
                for slot in self.slots:
                    if slot.agent:
                        os.killpg(slot.agent, signal.SIGKILL)

    # -- what is asked of a running batch

    def heed_signals(self) -> None:
        try:
            numbers = os.read(self.signals, 4096)
        except BlockingIOError:
            return
        if signal.SIGUSR2 in numbers:
            self.ending = self.ending or "time limit"
        terminated = signal.SIGTERM in numbers or signal.SIGINT in numbers
        if signal.SIGUSR1 in numbers or terminated:
            # If the signal carries out a cancel that was asked for, that is the reason.
            self.control_seen = -1
            self.look_at_control()
        if terminated:
            self.stop("terminated")
        self.deaths = self.deaths or signal.SIGCHLD in numbers

    def look_at_control(self) -> None:
        path = os.path.join(self.folder, "control")
        try:
            changed = os.stat(path).st_mtime_ns
            now = monotonic()
            if changed != self.control_seen:
                self.control_seen = changed
                self.control_settled = now + 2.0  # the clock of a file system may be as coarse as that
            elif now > self.control_settled:
                return
            names = os.listdir(path)
        except OSError:
            return  # the runner makes the folder when it has something to ask
        for name in set(names) - self.honoured:
            self.honoured.add(name)
            if name == "stop":
                self.stop("cancelled")
            elif name.startswith("cancel.") and name[7:].isdigit():
                self.cancel(int(name[7:]))

    def look_at_claim(self) -> None:
        """A scheduler that lost sight of this host starts the batch elsewhere: then nothing goes on here."""
        if not self.batch.agent:
            return
        try:
            restart = int(json.loads(read(os.path.join(self.folder, "claim")).decode())["restart"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # whoever spoilt it has not started the batch
        if restart > self.restart:
            # Agents end what they run when nobody holds their input any more.
            sys.exit("This batch has been started again elsewhere, and ends here.")

    def stop(self, why: str) -> None:
        if not self.ending or why == "cancelled":
            self.ending = why
        for slot in self.busy():
            self.kill(slot, self.ending)

    def cancel(self, index: int) -> None:
        for slot in self.busy():
            if slot.task == index:
                self.kill(slot, "cancelled")
                return
        position = self.position_of(index)
        if position >= self.position and position not in self.skipped:
            self.skipped.add(position)
            self.end(index, None, not_run("cancelled", "cancelled"))

    def kill(self, slot: Slot, why: str) -> None:
        told = slot.verdict
        if not told or why == "cancelled":
            slot.verdict = why
        if not told:
            slot.kill_by = monotonic() + self.batch.grace + AGENT_GRACE
            self.send(slot, b'{"kill":1}\n')

    # -- heartbeats

    def beat(self, now: float) -> None:
        """Ask the busy agents; write what they say once all have answered, or after a second."""
        if not self.beat_open:
            self.beat_asked = {slot.number for slot in self.busy()}
            self.beat_open = bool(self.beat_asked)
            for slot in self.busy():
                self.send(slot, b'{"hb":1}\n')
            self.beat_due = now + (1.0 if self.beat_open else self.batch.heartbeat)
            return
        rows = [[slot.number, slot.task] + (slot.sample or [0.0, 0.0]) for slot in self.busy()]
        for first in range(0, len(rows), 80):  # a line stays under 4 KiB
            self.beat_bytes += self.event("hb", run=rows[first : first + 80])
        self.beat_open = False
        # Rarer with time: the file stays small even when a batch runs for days.
        self.beat_due = now + min(30.0, self.batch.heartbeat * (1 + self.beat_bytes // (256 << 10)))

    # -- the end

    def say_bye(self) -> None:
        why = self.ending or "done"
        if not self.ending and not self.exhausted():
            why = "no agent could start: " + (
                max((slot.said() for slot in self.slots), key=len) or "no reason given"
            )
        again = {"again": True} if why == "terminated" and self.batch.agent else {}
        # Only the scheduler knows what becomes of such a task: a node that it has given up may live on.
        last = {"again": True} if self.interrupted else again
        ranges = []  # type: list[list[int]]
        for position in range(self.position, len(self.batch.indices)):
            if position not in self.skipped:
                index = self.batch.indices[position]
                self.counts["left"] += 1
                if ranges and ranges[-1][1] == index - 1:
                    ranges[-1][1] = index
                else:
                    ranges.append([index, index])
        for first in range(0, len(ranges), 60):  # a line stays under 4 KiB
            self.event("left", i=ranges[first : first + 60], why=why, **again)
        self.event("bye", why=why, counts=self.counts, **last)


# ------------------------------------------------------------------------------------------------ verbs


def coordinate(folder: str, report: "Callable[[dict[str, Any]], None]") -> int:
    """Claim the batch in `folder` and run it to its end. Reports once how the claim went."""
    try:
        batch = Batch(folder)
        claim = Claim(folder)
        holder = claim.take()
        if holder != claim.mine:
            report({"duplicate": holder})
            return 0
        try:
            coordinator = Coordinator(folder, batch, claim.restart)
        except OSError:
            os.unlink(claim.path)  # nothing has run: whoever tries again must find nothing
            raise
    except Problem as error:
        report({"error": str(error)})
        return 1
    except (OSError, ValueError) as error:
        report({"error": "The batch in %s cannot be started: %s." % (folder, reason(error))})
        return 1
    try:
        report({"claimed": holder})
    except OSError:
        pass  # whoever asked has died meanwhile; the batch is ours all the same
    coordinator.run()
    return 0


def say(message: "dict[str, Any]") -> None:
    write_all(1, to_bytes(encode(message) + "\n"))


def launch(folder: str) -> int:
    """Start a coordinator that outlives the caller, wait for its claim and print how it went."""
    try:
        errors = os.open(os.path.join(folder, "worker.err"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        say({"error": "The batch in %s cannot be started: %s." % (folder, reason(error))})
        return 1
    answer, ours = os.pipe()
    session = os.fork()
    if not session:
        detach(folder, errors, ours)
    os.close(ours)
    os.waitpid(session, 0)
    said = b""
    until = monotonic() + LAUNCH_SECONDS
    while not said.endswith(b"\n"):
        ready, _, _ = select.select([answer], [], [], max(0.0, until - monotonic()))
        data = os.read(answer, 1 << 16) if ready else b""
        if not data:
            why = "it died while it started"
            if not ready:
                why = "it did not start within %d s" % LAUNCH_SECONDS
                os.killpg(session, signal.SIGKILL)
            say(
                {
                    "error": "The worker of the batch in %s is not there: %s; see worker.err there."
                    % (folder, why)
                }
            )
            return 1
        said += data
    write_all(1, said)
    return 1 if b'"error"' in said[:9] else 0


def detach(folder: str, errors: int, answer: int) -> "NoReturn":
    """In the child of launch: become the coordinator in a session of its own."""
    code = 1
    try:
        os.setsid()
        if os.fork():
            os._exit(0)  # so that it is nobody's child, and can never get a terminal
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(errors, 1)
        os.dup2(errors, 2)
        os.closerange(3, answer)  # what the caller left open is not ours to hold
        os.closerange(answer + 1, 1024)

        def report(message: "dict[str, Any]") -> None:
            write_all(answer, to_bytes(encode(message) + "\n"))
            os.close(answer)

        code = coordinate(folder, report)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def main(argv: "list[str]") -> int:
    if argv[1:] == ["agent"]:
        Agent().run()
        return 0
    if len(argv) == 3 and argv[1] in ("launch", "coordinate"):
        folder = os.path.abspath(argv[2])
        return launch(folder) if argv[1] == "launch" else coordinate(folder, say)
    sys.stderr.write("usage: worker.py launch FOLDER | coordinate FOLDER | agent\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
