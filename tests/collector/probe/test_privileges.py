"""Root's rights are given up, all but one; read from where the kernel tells them."""

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="giving up root's rights needs root, and setpriv"
)
RAW = 1 << 13
THEN = """
import os, socket, threading
from pathlib import Path
from collector.probe.privileges import restrict
{before}
restrict({user!r})
def told():
    lines = Path("/proc/thread-self/status").read_text().splitlines()
    print({{line.split()[0][:-1]: line.split()[1:] for line in lines if line.startswith(("Cap", "Uid", "Gid", "Groups", "NoNew"))}})
told()
thread = threading.Thread(target=told); thread.start(); thread.join()
for what, attempt in {{
    "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close(),
    "root": lambda: os.setuid(0),
    "chown": lambda: os.chown("/etc/passwd", 0, 0),
    "shadow": lambda: open("/etc/shadow").close(),
    "sudo": lambda: os.chroot("/"),
}}.items():
    try:
        attempt()
        print(what, "allowed")
    except OSError:
        print(what, "refused")
"""  # noqa: E501


def ran(*prefix: str, user: str = "nobody", before: str = "") -> list[str]:
    """What a process says that restricted itself, and then tried things."""
    argv = [*prefix, sys.executable, "-c", THEN.format(user=user, before=before)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
    return [*done.stdout.splitlines(), *done.stderr.splitlines()[-1:]]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.getcwd())


def test_root_becomes_nobody_and_keeps_the_right_to_raw_sockets_alone() -> None:
    told, of_a_thread, *attempts = ran()
    status = eval(told)
    assert status["Uid"] == ["65534"] * 4
    assert status["Gid"] == ["65534"] * 4
    assert status["Groups"] == []
    assert [int(status[name][0], 16) for name in ("CapPrm", "CapEff", "CapBnd")] == [RAW] * 3
    assert [int(status[name][0], 16) for name in ("CapInh", "CapAmb")] == [0, 0]
    assert status["NoNewPrivs"] == ["1"]
    assert eval(of_a_thread) == status
    assert attempts == ["raw allowed", "root refused", "chown refused", "shadow refused", "sudo refused"]


def test_what_runs_before_others_still_does_when_it_is_root_no_more() -> None:
    urgent = "from collector.probe.privileges import before_others\nprint(before_others(), os.nice(0))"
    said, told, *_ = ran(before=urgent)
    assert said == "True -10"
    assert eval(told)["Uid"] == ["65534"] * 4
    refused, *_ = ran("setpriv", "--reuid", "65534", "--clear-groups", before=urgent)
    assert refused == f"False {os.nice(0)}"


def test_root_without_the_right_to_raw_sockets_keeps_nothing() -> None:
    told, _, *attempts = ran("setpriv", "--bounding-set", "-net_raw")
    assert int(eval(told)["CapPrm"][0], 16) == 0
    assert attempts[0] == "raw refused"


def test_an_ordinary_user_with_rights_keeps_that_one_too() -> None:
    given = "+net_raw,+net_admin"
    told, _, *attempts = ran(
        "setpriv",
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
        "--inh-caps",
        given,
        "--ambient-caps",
        given,
    )
    assert int(eval(told)["CapEff"][0], 16) == RAW
    assert attempts[0] == "raw allowed"


def test_an_ordinary_user_without_rights_goes_on_without() -> None:
    told, _, *attempts = ran("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    assert int(eval(told)["CapPrm"][0], 16) == 0
    assert attempts[0] == "raw refused"


def test_a_user_that_is_not_there_or_is_root_is_a_sentence() -> None:
    assert "this machine has no user nobodyatall; make one" in ran(user="nobodyatall")[-1]
    assert "root is root; name a user under `user` who is not" in ran(user="root")[-1]


def test_no_thread_that_ran_before_keeps_root() -> None:
    """What libc does for the user id, it does for all threads; capabilities are each thread's own."""
    before = "import time; early = threading.Thread(target=time.sleep, args=(0.5,)); early.start()"
    assert "root refused" in ran(before=before)
