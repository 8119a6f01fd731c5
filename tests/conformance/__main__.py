"""`python -m tests.conformance [FILE]`: requests from FILE or standard input, answers to standard output."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext

from tests.conformance.answers import answers


def main(arguments: list[str]) -> int:
    """Answer every request of the file named, or of standard input."""
    if len(arguments) > 1:
        print("usage: python -m tests.conformance [FILE]", file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") if arguments else nullcontext(sys.stdin) as requests:
        for answer in answers(requests):
            print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
