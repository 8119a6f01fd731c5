"""The tables of the store and the steps that bring an older file up to date.

``PRAGMA user_version`` counts the migrations a file has seen. A migration that has landed is never edited.
"""

import sqlite3

_FIRST = """
CREATE TABLE revision (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    value INTEGER NOT NULL
);
INSERT INTO revision VALUES (1, 0);

CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    answer TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL
);
CREATE INDEX requests_state ON requests (state, id);

CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    resource TEXT NOT NULL,
    profile TEXT,
    retry_of TEXT,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    pending INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    unknown INTEGER NOT NULL DEFAULT 0,
    folder TEXT NOT NULL,
    workdir TEXT NOT NULL,
    cancelling INTEGER NOT NULL DEFAULT 0,
    spec TEXT NOT NULL,
    revision INTEGER NOT NULL
);
CREATE INDEX runs_revision ON runs (revision);
CREATE INDEX runs_state ON runs (state);

CREATE TABLE steps (
    run TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    command TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT NOT NULL DEFAULT '',
    pending INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    unknown INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL,
    PRIMARY KEY (run, position)
) WITHOUT ROWID;

CREATE TABLE batches (
    token TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    step INTEGER NOT NULL,
    number INTEGER NOT NULL,
    slots INTEGER NOT NULL,
    state TEXT NOT NULL,
    worker_state TEXT NOT NULL DEFAULT '',
    scheduler_state TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    native_id TEXT NOT NULL DEFAULT '',
    host TEXT NOT NULL DEFAULT '',
    folder TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    pending INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    unknown INTEGER NOT NULL DEFAULT 0,
    restart INTEGER NOT NULL DEFAULT 0,
    "offset" INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX batches_run ON batches (run, number);
CREATE INDEX batches_state ON batches (state);

CREATE TABLE tasks (
    run TEXT NOT NULL,
    "index" INTEGER NOT NULL,
    step INTEGER NOT NULL,
    item TEXT NOT NULL,
    fields TEXT,
    batch TEXT,
    slot INTEGER,
    state TEXT NOT NULL,
    worker_state TEXT NOT NULL DEFAULT '',
    exit_code INTEGER,
    signal TEXT,
    reason TEXT NOT NULL DEFAULT '',
    started REAL,
    ended REAL,
    max_rss_mb REAL,
    cpu_s REAL,
    wall_s REAL,
    log_bytes INTEGER,
    "left" INTEGER NOT NULL DEFAULT 0,
    result TEXT,
    revision INTEGER NOT NULL,
    PRIMARY KEY (run, "index")
) WITHOUT ROWID;
CREATE INDEX tasks_revision ON tasks (run, revision);
CREATE INDEX tasks_state ON tasks (run, step, batch, state);

CREATE TABLE slots (
    batch TEXT NOT NULL,
    slot INTEGER NOT NULL,
    run TEXT NOT NULL,
    state TEXT NOT NULL,
    host TEXT NOT NULL DEFAULT '',
    pid INTEGER,
    task INTEGER,
    since REAL,
    rss_mb REAL,
    cpu_s REAL,
    cpu_percent REAL,
    heard REAL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (batch, slot)
) WITHOUT ROWID;
CREATE INDEX slots_run ON slots (run);

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    batch TEXT,
    restart INTEGER NOT NULL DEFAULT 0,
    seq INTEGER,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX events_run ON events (run, id);
CREATE UNIQUE INDEX events_once ON events (batch, restart, seq) WHERE seq IS NOT NULL;
"""

# A retried task keeps its place in the dataset, and a step that runs once may be given all of it.
_SECOND = """
ALTER TABLE tasks ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN items TEXT NOT NULL DEFAULT '';
"""

# Schedulers: what they show of a batch, how each resource can be reached, and every command run on one.
_THIRD = """
ALTER TABLE batches ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN scheduler_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN hosts TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN nodes INTEGER;
ALTER TABLE batches ADD COLUMN limit_s REAL;
ALTER TABLE batches ADD COLUMN job_since REAL;
ALTER TABLE tasks ADD COLUMN cancelling INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tasks_cancelling ON tasks (run) WHERE cancelling;

CREATE TABLE places (
    resource TEXT NOT NULL,
    profile TEXT NOT NULL,
    place TEXT NOT NULL,
    up INTEGER,
    round_trip_s REAL,
    trouble TEXT NOT NULL,
    looked REAL,
    question INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (resource, profile)
) WITHOUT ROWID;

CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    place TEXT NOT NULL,
    command TEXT NOT NULL,
    code INTEGER,
    seconds REAL NOT NULL,
    out TEXT NOT NULL,
    err TEXT NOT NULL
);
"""

# A partition may be what a batch waits for.
_FOURTH = """
ALTER TABLE batches ADD COLUMN "partition" TEXT NOT NULL DEFAULT '';
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file behind *connection* up to date, each migration in a transaction of its own.

    Raises:
        RuntimeError: the file was written by a newer Runyard, which only that one can read.
    """
    for wanted, script in enumerate(MIGRATIONS, start=1):
        if _version(connection) >= wanted:
            continue
        # Two processes may open a new file at once: the second waits for the lock and finds it done.
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) < wanted:
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {wanted}")
            connection.execute("COMMIT")
        except BaseException:
            # A full disk may have rolled the transaction back already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    if _version(connection) > len(MIGRATIONS):
        raise RuntimeError(
            f"its format is {_version(connection)} and this Runyard knows formats up to {len(MIGRATIONS)}: "
            "use the newer Runyard that wrote it"
        )


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _statements(script: str) -> list[str]:
    # executescript() would commit the transaction that we hold open.
    return [statement for statement in (part.strip() for part in script.split(";")) if statement]
