"""Speaks BMP from inside a container's network namespace, until it is ended: `... feed PORT SOURCE`."""

import sys
import time

from tests.pipeline.watched import INSTANCES, NVAS, WEB
from tests.speaker import Speaker, attributes


def main() -> None:
    """Say that web is advertised by every NVA and both instances of each region."""
    speaker = Speaker(("127.0.0.1", int(sys.argv[1])), sys.argv[2])
    speaker.connect("gobgp")
    for region, (nva, asn) in NVAS.items():
        for peer, own, path in ((nva, asn, (asn,)), *((each, 65515, (65515, asn)) for each in INSTANCES[region])):
            speaker.peer_up(peer, own)
            speaker.announce(peer, own, WEB, attributes(peer, *path))
    sys.stdout.write("told\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    main()
