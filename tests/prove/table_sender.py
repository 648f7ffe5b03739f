"""A router that sends one full table over BMP when it is told to.

    python -m tests.prove.table_sender PORT SOURCE ROUTES SETS SEED

Says `ready` when the table is made, connects and sends it after a line on standard input, and then stays connected
until standard input ends.
"""

import socket
import sys

from benchmarks.table import bmp, groups, updates


def main() -> None:
    """Be that router."""
    port, source, routes, sets, seed = sys.argv[1:]
    table = b"".join(bmp(updates(groups(int(routes), int(sets), int(seed)))))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if not sys.stdin.readline():
        return
    with socket.create_connection(("127.0.0.1", int(port)), source_address=(source, 0)) as connection:
        connection.sendall(table)
        sys.stdin.read()


if __name__ == "__main__":
    main()
