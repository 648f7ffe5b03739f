"""One element as a line of JSON."""

import json

from collector.wire.element import Element


def line(element: Element) -> str:
    """One element as a line of JSON, keys as `collector.wire.element.KEYS` tells them."""
    return json.dumps(element.plain(), separators=(",", ":")) + "\n"
