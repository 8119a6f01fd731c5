"""This machine: what work on it can use."""

import os


def cores() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def memory_mb() -> int:
    """All of its memory, in MB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1_000_000
