"""Child processes that never outlive us, started with an environment that we chose."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping

_PR_SET_PDEATHSIG = 1
"""``prctl`` option: the kernel signals the child when the parent's thread ends (Linux)."""

_KEPT_NAMES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT", "TEMP", "TMP")


def dies_with_parent() -> Callable[[], None] | None:
    """A ``preexec_fn`` that has the kernel kill the child with us, even on ``kill -9`` of us.

    The kernel watches the *thread* that starts the child: call from the main thread.

    Returns:
        ``None`` outside Linux: there a child may outlive a parent that is killed with -9.
    """
    if not sys.platform.startswith("linux"):
        return None
    # Everything is looked up before the fork: afterwards only the two calls below may run.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent, getppid, stop = os.getpid(), os.getppid, os._exit

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if getppid() != parent:  # the parent died between fork and prctl
            stop(1)

    return arm


def follow_parent(parent: int) -> None:
    """Have the kernel kill this process with its parent, from inside; for one already started.

    Args:
        parent: Process id of the parent; if it is gone by now, this process ends at once.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def plain_environment(environ: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """A child's environment: only what every program needs, and ``extra``.

    Whatever else stands in ours (Tansu reads ``LISTENER_URL``, ``STORAGE_ENGINE``,
    ``CLUSTER_ID`` ...) cannot reach the child.
    """
    kept = {name: environ[name] for name in _KEPT_NAMES if name in environ}
    return {**kept, **extra}
