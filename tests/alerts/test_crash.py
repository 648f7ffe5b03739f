"""kill -9 at random moments while conclusions are committed and told: nothing lost, repetitions under the same key."""

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

from anycast.finding import Step
from store.ledger import LedgerFile
from tests.alerts.receivers import answers, in_turn, receiver, reset

KILLS = 20
ROOT = Path(__file__).parents[2]


async def run(path: Path, url: str, *last: str) -> asyncio.subprocess.Process:
    argv = [sys.executable, "-m", "tests.alerts.crashing", str(path), url, *last]
    with path.with_name("stderr").open("ab") as log:
        return await asyncio.create_subprocess_exec(*argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=log)


async def test_twenty_kills_during_delivery_lose_nothing_and_repeat_only_under_the_same_key(tmp_path: Path) -> None:
    path, chance = tmp_path / "ledger.db", random.Random(20)
    promised: list[str] = []
    moody = in_turn(*[answers(500), reset, *[answers(200)] * 8] * 400, answers(200))
    async with receiver(moody) as server:
        for _ in range(KILLS):
            daemon = await run(path, server.url)
            assert daemon.stdout is not None
            promised.append((await daemon.stdout.readline()).decode().strip())
            await asyncio.sleep(chance.uniform(0, 0.15))
            daemon.kill()
            promised += (await daemon.stdout.read()).decode().split()
            assert await daemon.wait() == -9
        daemon = await run(path, server.url, "last")
        try:
            assert await asyncio.wait_for(daemon.wait(), 60) == 0
        except TimeoutError:
            daemon.kill()
            await daemon.wait()
            raise

    told = [line for line in promised if line.endswith((Step.OPENED, Step.CLEARED))]
    first = {key: server.keys.index(key) for key in set(server.keys)}
    assert len(told) > 2 * KILLS
    assert set(told) <= set(first), "promised and never told"

    file = LedgerFile(path)
    kept = await file.ask(lambda reader: reader.outbox(limit=100_000))
    await file.close()
    assert {delivery.message.idempotency_key for delivery in kept} == set(first), "told is what was committed"
    assert {str(delivery.state) for delivery in kept} == {"delivered"}
    for key, position in first.items():
        ident, _, step = key.partition(".")
        assert step == Step.OPENED or first[f"{ident}.{Step.OPENED}"] < position
    bodies = {(request.key, request.body) for request in server.requests}
    assert len(bodies) == len(first), "a repetition says the same, to the byte"
    assert max(Counter(server.keys).values()) > 1, "nothing was repeated, so this has shown nothing"
