"""Numbers of things, in words."""


def counted(number: int, word: str) -> str:
    """A number of things: `1 finding`, `2 findings`, `1,000 routes`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
