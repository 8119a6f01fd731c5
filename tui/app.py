"""Opening the dashboard. Cheap to import: Textual comes in when it is needed."""

from __future__ import annotations

import gc
import os
import sys

from runners.config.home import Home

_CALM = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
"""Over SSH every byte counts. Textual reads these once, while it is imported."""


def run_dashboard(home: Home, *, read_only: bool = False, run: str | None = None) -> int:
    """Show the dashboard of *home* until the person leaves, on the screen of *run* if one is given.

    With *read_only* nothing can be changed from it. Returns the exit code: 0, or 128 and the number of the
    signal that ended it, or 1 after a defect, which is told on the terminal once. Nothing of what runs is
    touched by leaving, whichever way.

    Raises:
        ConfigError: the folders of *home* can't be made.
    """
    home.make()
    # Not left in the environment: tasks that are launched from here would inherit it.
    added = [name for name in _CALM if os.environ.setdefault(name, _CALM[name]) is _CALM[name]]
    # What is imported stays. Looking through it for garbage, again and again as it grows, takes a tenth of
    # the time until the first frame, and later some 10 ms each time.
    gc.disable()
    try:
        from tui.dashboard import Dashboard
    finally:
        gc.freeze()
        gc.enable()
    for name in added:
        del os.environ[name]
    dashboard = Dashboard(home, read_only=read_only, run=run)
    dashboard.run()
    if dashboard.return_code == 1:
        sys.stderr.write(
            "The dashboard stopped because of the defect told above. "
            "Your runs go on: `runyard ps` lists them.\n"
        )
    return dashboard.return_code or 0
