"""Giving root's rights away, after what needs them is done."""

import os
import pwd
import resource

OPEN_FILES = 4096  # connections, twice over


def become(name: str) -> None:
    """Become an ordinary user for good, with no group but its own; raises ValueError with a sentence."""
    try:
        who = pwd.getpwnam(name)
    except KeyError:
        raise ValueError(f"there is no user {name} on this machine; write one that is there under `user`") from None
    if who.pw_uid == os.getuid() == os.geteuid():
        return
    try:
        os.setgroups([])
        os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
        os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
    except PermissionError:
        said = f"only root can become {name}; start it as {name}, or leave `user` out"
        raise ValueError(said) from None


def allow_open_files(most: int = OPEN_FILES) -> None:
    """Raise this process's own limit of open files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, hard) if hard > 0 else most, hard))
