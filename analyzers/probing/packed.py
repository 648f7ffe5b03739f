"""Numbers as a snapshot keeps them: short, and equal when they are read back. Single precision, as they are held."""

from array import array
from base64 import b64decode, b64encode


def packed(values: "array[float]") -> str:
    """Write an array of single-precision numbers."""
    return b64encode(values.tobytes()).decode()


def unpacked(text: str) -> "array[float]":
    """Read it back; raises ValueError for anything else."""
    values = array("f")
    values.frombytes(b64decode(text, validate=True))
    return values
