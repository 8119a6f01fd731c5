"""``python -m tests.bench [NAME...]``: measure, print the figures, and keep them in README.md here.

Each bench runs Runyard and what it is compared with in the same run, so that the ratio holds on any machine.
The exit code is 1 when a promise is not kept.
"""

import platform
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench import dashboard, forms, local_work, slurm_line, slurm_work
from tests.bench.figures import Figure, table

BENCHES: dict[str, Callable[[], Iterable[Figure]]] = {
    "uneven": local_work.uneven,
    "no-ops": local_work.no_ops,
    "launching": local_work.launching,
    "dashboard": dashboard.on_screen,
    "hour": dashboard.an_hour,
    "forms": forms.on_screen,
    "slurm-tasks": slurm_work.tasks_in_slots,
    "slurm-no-ops": slurm_work.noops_in_slots,
    "slurm-line": slurm_line.over_a_line,
}

KEPT = Path(__file__).with_name("README.md")
HEAD = """# Figures

Made by `make bench`, which measures Runyard and the usual way side by side in one run. Ratios carry over to
other machines; seconds do not. A line that says NO is a promise broken.
"""


def main(names: list[str]) -> int:
    """Run the benches called *names*, or all of them; only a full run is kept."""
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"There is no bench {unknown[0]!r}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or BENCHES:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += BENCHES[name]()
    shown = table(figures)
    print(shown)
    if not names:
        machine = f"{_cpus()} on {time.strftime('%Y-%m-%d')}, Python {platform.python_version()}"
        KEPT.write_text(f"{HEAD}\nMeasured with {machine}.\n\n{shown}\n", encoding="utf-8")
    return 0 if all(figure.kept for figure in figures) else 1


def _cpus() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(models)} cores of {models[0]}" if models else platform.machine()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
