"""Python's collector of cycles, told what kind of process this is: a fifth of the agent's CPU otherwise.

What was loaded stays for good, so it is not looked at again; and probes leave no cycles behind, only many small objects
that live for a second, which the collector would take for a reason to look at everything.
"""

import gc
from typing import Final

NEW: Final = 50_000
"""Objects more than before, after which the collector looks; about 10 MB."""


def calm() -> None:
    """Let the collector look seldom. Of the whole process: call it once, when everything is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, 20, 100)
