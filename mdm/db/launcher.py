"""Turn into a server program that ends when the process that started it ends.

Started by path as `python -I -S launcher.py UID GID PARENT LOG PROGRAM ARGUMENT…`. It gives up root for UID and GID,
appends output to LOG, asks the kernel for SIGINT (PostgreSQL's fast shutdown) at the death of PARENT, and becomes
PROGRAM. A program of its own rather than `preexec_fn`, which may deadlock in a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LOG_BYTES_MAX = 4_000_000  # chosen: the log before this start is kept once, as LOG.1


def main(uid: int, gid: int, parent: int, log: str, command: list[str]) -> None:
    """Become the command; does not return."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    _write_to(log)
    # A shell has the commands that it starts in the background ignore it, and a program inherits that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        # After setuid, which clears the request; execve keeps it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            sys.exit("the process that asked for the server has ended")
    os.execv(command[0], command)  # noqa: S606 -- no shell is wanted


def _write_to(log: str) -> None:
    """Send output to the log, opened without root so that no planted link can lead elsewhere."""
    if os.path.exists(log) and os.path.getsize(log) > LOG_BYTES_MAX:  # noqa: PTH110, PTH202 -- pathlib would double the start of this program
        os.replace(log, f"{log}.1")  # noqa: PTH105 -- as above
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
