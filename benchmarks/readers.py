"""Read a file with another Python package, from a virtual environment that has nothing else: prints the elements read.

    python readers.py {pybgpkit,mrtparse} FILE

Each in the way that its own documentation shows, asking nothing of what it yields: attribute text is made or not as the
package likes.
"""

import sys


def main() -> None:
    """Read, and print how many there were."""
    which, path = sys.argv[1:]
    if which == "pybgpkit":
        import pybgpkit_parser  # type: ignore[import-not-found]

        found = pybgpkit_parser.Parser(url=path)
    else:
        import mrtparse

        found = mrtparse.Reader(path)
    print(sum(1 for _ in found))


if __name__ == "__main__":
    main()
