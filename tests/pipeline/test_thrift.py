"""Memory given back, in a process of its own: what is set there stays."""

import subprocess
import sys

import pytest

HELD = """
import threading
from pathlib import Path
{before}
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
def fill():
    global large
    large = [bytearray(b"x" * 200_000) for _ in range(500)]
thread = threading.Thread(target=fill)
thread.start()
thread.join()
full, keeps = held(), large[::50]
del large
{after}
print(full - held())
"""


def test_what_a_thread_let_go_goes_back_to_the_system() -> None:
    assert freed("from pipeline.thrift import give_back, thrift; thrift()", "give_back()") > 80_000_000


def test_left_alone_it_stays() -> None:
    assert freed("", "") < 60_000_000


def freed(before: str, after: str) -> int:
    if sys.platform != "linux":
        pytest.skip("only glibc is told anything, and only Linux says what a process holds in /proc")
    script = HELD.format(before=before, after=after)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return int(run.stdout)


def test_what_the_owner_chose_for_arrow_stays() -> None:
    script = "import os; from pipeline.thrift import thrift; thrift(); print(os.environ['ARROW_DEFAULT_MEMORY_POOL'])"
    env = {"PATH": "/usr/bin", "ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    assert run.stdout.strip() == "mimalloc"
