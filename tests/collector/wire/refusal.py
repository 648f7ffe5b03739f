"""One way to ask a decoder whether it takes some bytes."""

from collections.abc import Callable

from collector.wire.errors import Malformed


def refusal(read: Callable[[], object]) -> Malformed | None:
    """Return why `read` refuses its bytes, or None when it takes them. Any other exception is a failure of ours."""
    try:
        read()
    except Malformed as error:
        return error
    return None
