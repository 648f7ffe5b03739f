"""The real responder as a process, without limits on rates, for `benchmarks.probing`: UDP, and HTTP and echo behind it.

python -m benchmarks.identity_responder ADDRESS PORT
"""

import asyncio
import sys
import time
from ipaddress import ip_address, ip_network

from anycast.probe import Identity
from benchmarks.prober import KEY
from collector.probe.identity.keys import Keys
from collector.probe.identity.nonces import Nonces
from collector.probe.responder import tcp
from collector.probe.responder.answering import Answering
from collector.probe.responder.counters import Counters
from collector.probe.responder.rates import Rates
from collector.probe.responder.settings import Place
from collector.probe.responder.udp import UdpServer

SERVICES = frozenset(f"svc{number}" for number in range(1000))


async def answer() -> None:
    """Answer until killed."""
    answering = Answering(Nonces(capacity=1 << 18), Rates(1e6, 1e6, time.monotonic_ns()))
    answering.follow(Identity("weu", "nva-weu-1", "resolver", "7"), SERVICES, Keys((KEY,)), (ip_network("0.0.0.0/0"),))
    address, port = ip_address(sys.argv[1]), int(sys.argv[2])
    UdpServer(Place(address, port), answering, Counters()).open()
    doors = tcp.Doors(answering, Counters())
    await tcp.serve(tcp.bound(Place(address, port + 1)), lambda: tcp.HttpConnection(doors))
    await tcp.serve(tcp.bound(Place(address, port + 2)), lambda: tcp.EchoConnection(doors))
    print("answers", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(answer())
