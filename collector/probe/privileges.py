"""Giving up root's rights, all but one: CAP_NET_RAW, which raw sockets need (capabilities(7)).

Capabilities belong to threads and are inherited by those that are started later: call this before there are any.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path
from typing import Final

CAP_SETPCAP: Final = 8
CAP_NET_RAW: Final = 13
_KEEPCAPS: Final = 8  # PR_SET_KEEPCAPS
_CAPBSET_DROP: Final = 24
_NO_NEW_PRIVS: Final = 38
_PDEATHSIG: Final = 1
_VERSION_3: Final = 0x20080522


class PrivilegeError(OSError):
    """Rights cannot be given up; the message is a sentence for the operator."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


URGENCY: Final = -10
"""Niceness: a prober that waits for a processor measures its host. It needs some per cent of one."""


def before_others() -> bool:
    """Ask to run before what is less urgent; say whether it was granted. Only root may, or who has CAP_SYS_NICE."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, URGENCY)
    except PermissionError:
        return False
    return True


def restrict(user: str) -> None:
    """Become `user` where root started this process, and keep CAP_NET_RAW alone, where it is there at all.

    Raises PrivilegeError when that does not succeed: nothing may run with more rights than it says.
    """
    if sys.platform != "linux":
        return
    _prctl(_KEEPCAPS, 1)
    _drop_bounding_set()
    if os.geteuid() == 0:
        _become(user)
    had = capabilities()
    _set_capabilities((1 << CAP_NET_RAW) & had)
    _prctl(_KEEPCAPS, 0)
    _prctl(_NO_NEW_PRIVS, 1)
    if capabilities() & ~(1 << CAP_NET_RAW) or os.geteuid() == 0 or os.getuid() == 0:
        raise PrivilegeError("root's rights could not be given up; nothing is probed with them")


def capabilities() -> int:
    """Return the permitted capabilities of this thread, as a bit mask."""
    for line in Path("/proc/thread-self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def end_with_parent(parent: int, signal: int) -> bool:
    """Have the kernel send us a signal when `parent` dies; False when it is dead already."""
    if sys.platform == "linux":
        _prctl(_PDEATHSIG, signal)
    return os.getppid() == parent


def _become(user: str) -> None:
    try:
        who = pwd.getpwnam(user)
    except KeyError:
        raise PrivilegeError(f"this machine has no user {user}; make one, or name another under `user`") from None
    if who.pw_uid == 0:
        raise PrivilegeError(f"{user} is root; name a user under `user` who is not")
    os.setgroups([])
    os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
    os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)


def _drop_bounding_set() -> None:
    """Nothing that is executed from here can get more back; needs CAP_SETPCAP, and is left out without it."""
    if not capabilities() >> CAP_SETPCAP & 1:
        return
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        if capability != CAP_NET_RAW:
            _prctl(_CAPBSET_DROP, capability)


def _set_capabilities(mask: int) -> None:
    header = _Header(_VERSION_3, 0)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = (_Data * 2)(_Data(low, low, 0), _Data(high, high, 0))
    if _libc().capset(ctypes.byref(header), ctypes.byref(data)) != 0:
        number = ctypes.get_errno()
        raise PrivilegeError(number, f"capabilities cannot be set: {os.strerror(number)}")


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise PrivilegeError(number, f"prctl({option}, {value}) is refused: {os.strerror(number)}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
