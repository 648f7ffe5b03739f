"""Why compiled code that goes through messages or records returned."""

from enum import IntEnum

import numpy as np

u64 = np.uint64


class Stop(IntEnum):
    """What has to be done before it is called again."""

    END = 0
    """What is left is not a whole message."""
    FULL = 1
    """The rows are full: take them and call again."""
    ROOM = 2
    """A table (of attributes, or of sessions) must grow: do that and call again."""
    PLAIN = 3
    """The next message is for the plain decoder."""
    BROKEN = 4
    """The next octets are no message: what comes cannot be told apart by lengths alone."""


END, FULL, ROOM = u64(Stop.END), u64(Stop.FULL), u64(Stop.ROOM)
PLAIN, BROKEN, TAKEN, GOES_ON = u64(Stop.PLAIN), u64(Stop.BROKEN), u64(99), u64(98)
"""The same for compiled code; TAKEN is one message taken whole, GOES_ON one of which more is to be looked at."""
