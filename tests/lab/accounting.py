"""The lab's accounting: MariaDB, slurmdbd, and who may submit."""

from __future__ import annotations

from tests.lab.ground import Ground
from tests.lab.slurm_conf import slurmdbd_conf
from tests.lab.waiting import listening, wait_for

ACCOUNT = "lab"


def start_accounting(ground: Ground) -> None:
    """Make the database, start both daemons, and enter the lab's users; some ten seconds.

    Raises:
        LabError: one of them does not start.
    """
    spec = ground.spec
    data = spec.here / "database"
    ground.must(
        *("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}"),
        *("--auth-root-authentication-method=normal", "--skip-test-db"),
    )
    socket = spec.here / "database.sock"
    ground.must(
        *("setsid", "--fork", "mariadbd", "--no-defaults", "--user=root", f"--datadir={data}"),
        *(f"--socket={socket}", "--bind-address=127.0.0.1", f"--port={spec.database_port}"),
        *(f"--pid-file={spec.base}/pid/mariadbd", f"--log-error={spec.base}/log/mariadbd"),
        *(
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=16M",
        ),
    )
    wait_for(lambda: listening(spec.database_port), "the database")
    ground.must(
        *("mariadb", "--no-defaults", f"--socket={socket}", "--user=root"),
        stdin="create database slurm; create user slurm@'127.0.0.1' identified by 'slurm'; "
        "grant all on slurm.* to slurm@'127.0.0.1';",
    )
    conf = spec.here / "slurmdbd.conf"
    conf.touch(mode=0o600)
    conf.write_text(slurmdbd_conf(spec))
    start_slurmdbd(ground)
    _sacctmgr(ground, "add", "cluster", spec.name)
    _sacctmgr(ground, "add", "account", ACCOUNT, f"cluster={spec.name}")
    for user in (spec.user, spec.other_user):
        _sacctmgr(ground, "add", "user", user, f"account={ACCOUNT}")


def start_slurmdbd(ground: Ground) -> None:
    """Start slurmdbd, and wait until it answers."""
    # It looks for its configuration beside slurm.conf.
    ground.must("slurmdbd")
    wait_for(lambda: listening(ground.spec.accounting_port), "slurmdbd")


def limit_submissions(ground: Ground, user: str, jobs: int | None) -> None:
    """How many jobs of a user the queue takes; None: any number."""
    _sacctmgr(ground, "modify", "user", user, "set", f"MaxSubmitJobs={-1 if jobs is None else jobs}")


def _sacctmgr(ground: Ground, *words: str) -> None:
    ground.must("sacctmgr", "--immediate", *words)
