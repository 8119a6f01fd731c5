"""Opening the SQLite file that engine, dashboard and command line share."""

import contextlib
import os
import sqlite3
from pathlib import Path

from runners.store.schema import migrate

_BUSY_S = 10.0
"""How long a statement waits for another process's transaction, in seconds."""

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "afs", "9p", "fuse.sshfs"}
)


_LONGEST_PATH = 504
"""MAX_PATHNAME in SQLite's os_unix.c is 512, of which it keeps some for the names of its other files."""


class StoreError(Exception):
    """The store can't be opened or used; the text is one sentence for a person."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the store at *path*, made and migrated if need be, readable by its owner only.

    The connection is in autocommit mode and belongs to the thread that uses it first; take one per thread.

    Raises:
        StoreError: the file can't be made, is no SQLite file, or belongs to a newer Runyard.
    """
    try:
        # Made here and not by SQLite, which would follow the umask. One that is there is never opened here:
        # closing it would drop the locks of this process's other connections (sqlite.org/howtocorrupt.html).
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The store {path} can't be opened: {_words(error, path)}.") from error
    try:
        connection.row_factory = sqlite3.Row
        # WAL needs shared memory, which a network file system does not give (sqlite.org/wal.html).
        journal = "DELETE" if on_network_file_system(path) else "WAL"
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("PRAGMA synchronous = NORMAL")
        migrate(connection)
    except (sqlite3.Error, RuntimeError) as error:
        connection.close()
        raise StoreError(f"The store {path} can't be used: {_words(error, path)}.") from error
    return connection


def on_network_file_system(path: Path) -> bool:
    """Whether *path* lies on a file system that other machines share, as /proc/mounts tells."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    real = os.path.realpath(path)
    kind, longest = "", -1
    for line in mounts:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ").rstrip("/")
        if (real == point or real.startswith(point + "/")) and len(point) >= longest:
            kind, longest = fields[2], len(point)
    return kind in _NETWORK_FILE_SYSTEMS


def _words(error: Exception, path: Path) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CANTOPEN:
        # SQLite says no more than that it is unable to.
        if len(os.fsencode(path)) > _LONGEST_PATH:
            return f"its path is longer than the {_LONGEST_PATH} bytes that SQLite takes"
        if not os.access(path.parent, os.W_OK | os.X_OK):
            return "its folder can't be written, which even a reader must"
    if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"{error}; move it away, and a new one is made"
    return str(error)
