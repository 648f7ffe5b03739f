"""Ask a responder on loopback as fast as it answers; one JSON object: answers a second of its processor, and of agents.

python -m benchmarks.responder [REQUESTS]
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from collector.probe.config.values import AgentSettings, Centre
from collector.probe.identity.datagram import SIZE, Request, encode_request
from collector.probe.identity.keyfile import make_key, read_key
from collector.probe.identity.keys import Key

AT_ONCE = 32  # requests under way, as an agent with 32 fixed flows has them
RATE = 32_000  # the highest that a responder's file takes
PORT = 31_122


def measure(requests: int) -> dict[str, float]:
    """Start a responder, ask so many requests, and stop it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_key(folder / "key")
        (folder / "responder.yaml").write_text(
            f"responder: 1\nregion: weu\nnva: weu-nva1\nservices: [dns]\nallow: [127.0.0.0/8]\nuser: root\n"
            f"listen: {{udp: ['127.0.0.1:{PORT}']}}\nkeys: {{1: {{file: ./key, site: ams}}}}\n"
            f"rate: {{source: {RATE}, total: {RATE}}}\n"
        )
        argv = [sys.executable, "-m", "pipeline", "responder", "-c", str(folder / "responder.yaml")]
        with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
            assert running.stderr is not None
            running.stderr.readline()
            try:
                return _asked(running.pid, Key(1, "ams", read_key(folder / "key")), requests)
            finally:
                running.send_signal(signal.SIGTERM)


def _asked(pid: int, key: Key, requests: int) -> dict[str, float]:
    run, answers = secrets.randbits(32), 0
    before, began = _processor(pid), time.perf_counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.connect(("127.0.0.1", PORT))
        ours.settimeout(1)
        for first in range(0, requests, AT_ONCE):
            for nonce in range(first, first + AT_ONCE):
                ours.send(encode_request(Request(1, run, nonce, time.monotonic_ns(), "dns"), key))
            try:
                for _ in range(AT_ONCE):
                    answers += len(ours.recv(2048)) == SIZE
            except TimeoutError:
                continue
    wall, processor = time.perf_counter() - began, _processor(pid) - before
    return {
        "answers": answers,
        "requests": requests,
        "answers_per_second": round(answers / wall),
        "processor_us_per_answer": round(processor / answers * 1e6, 1),
        "answers_per_processor_second": round(answers / processor),
        "agents_at_their_cap_per_processor": round(answers / processor / _cap(), 1),
        "resident_kB": _resident(pid),
        "load_average": os.getloadavg()[0],
    }


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def _cap() -> float:
    """Probes a second that one agent sends at most, all kinds, unless its file says otherwise."""
    return AgentSettings(Path(), "ams", Centre("", Path()), Path()).cap


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 50_016)))
