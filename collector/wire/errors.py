"""What is wrong with somebody's bytes, as a sentence."""


class Malformed(ValueError):
    """A peer's bytes cannot be taken as they stand.

    `reason` is a sentence: what is wrong, where, and what would be right. `offset` is where in `data` it was found
    (octets from the start of `data`), and `data` is the message or field that was being read, kept as it came.
    """

    def __init__(self, reason: str, offset: int = 0, data: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.data = data

    def __str__(self) -> str:
        return self.reason
