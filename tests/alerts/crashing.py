"""A daemon that concludes and delivers without rest, until it is killed: `python -m tests.alerts.crashing LEDGER URL`.

It prints the id of each record whose opening or clearing is committed, only after the commit: what was printed is
promised. With a third argument it concludes nothing new, delivers what is owed and ends.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.deliver import Backoff, Deliverer
from alerts.ledger import Ledger
from alerts.notify.payload import Links
from alerts.notify.webhook import WebhookSender
from alerts.outbox import Telling
from anycast.intent import Webhook
from store.ledger import LedgerFile, LedgerReader
from tests.alerts.samples import SEEN, finding, held


def clock() -> datetime:
    return datetime.now(UTC)


async def conclude(file: LedgerFile, ledger: Ledger, telling: Telling, deliverer: Deliverer) -> None:
    """Open one finding after another and clear the one before."""
    number = 0
    while True:
        number += 1
        now = clock()
        transitions = ledger.judge([finding(f"region{number}", rests_on=())], SEEN, now)
        await file.commit(transitions, owed=telling.owe(transitions))
        for transition in transitions:
            print(f"{transition.record.id}.{transition.step}", flush=True)  # noqa: T201
        deliverer.wake()
        await asyncio.sleep(0.01)


async def main(path: Path, url: str, last: bool) -> None:
    file = LedgerFile(path)
    receivers = [Webhook("ops", url, timeout=timedelta(seconds=5))]
    ledger, telling = Ledger(lambda kind: held(0, 0)), Telling(receivers)
    ledger.restore(await file.ask(LedgerReader.live))
    telling.restore(await file.ask(LedgerReader.told))
    senders = {receiver.name: WebhookSender(receiver, Links(), clock) for receiver in receivers}
    backoff = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=100))
    deliverer = Deliverer(file, senders, clock, backoff=backoff)
    delivering = asyncio.create_task(deliverer.run())
    if not last:
        await conclude(file, ledger, telling, deliverer)
    while await file.receivers():
        await asyncio.sleep(0.05)
    delivering.cancel()
    await file.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], len(sys.argv) > 3))
