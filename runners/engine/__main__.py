"""``python -m runners.engine [--detach] [CONFIG STATE JOBS]``: be the engine of a home.

The home is that of the environment unless its three folders are given. RUNYARD_ENGINE_IDLE is how many
seconds the engine stays with nothing to do. Exits with 0 at once where another engine is running.
"""

import os
import sys


def main(arguments: list[str]) -> int:
    """Run the engine; returns the exit code."""
    if arguments[:1] == ["--detach"]:
        if os.fork():
            # Not sys.exit: the child has what is to be cleaned up.
            os._exit(0)
        os.setsid()
        arguments = arguments[1:]
    # Only now: whoever starts the engine waits for the fork, and not for these.
    from runners.engine.process import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
