"""Elements that follow what they show: the browser is sent what changed, and nothing else."""

from nicegui import ui


class Live:
    """One browser's elements by name."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}
        self._elements: dict[str, ui.html] = {}

    def add(self, name: str, classes: str = "") -> None:
        """Make an element where the page stands now."""
        self._elements[name] = ui.html("", sanitize=False).classes(classes)  # foreign text went through markup.text

    def put(self, name: str, content: str) -> None:
        """Send only what differs from what the browser has."""
        if self._shown.get(name) != content:
            self._shown[name] = content
            self._elements[name].set_content(content)
