"""The kernel's workers that carry bytes through a pty. A serial line has none on its way out, and is measured as if there were none:
for the length of a measurement they come before ordinary programs."""
import contextlib
import os
import pathlib

PRIORITY = 6  # above the bridge's loop (5), below its port (10)


def workers():
    """Process ids of the unbound workers; they come and go."""
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "comm").read_text().startswith("kworker/u"):
                yield int(entry.name)


class PtyWorkers:
    """Raised while in use as a context, if raise_them; `renew` does so for those that have come since. count: those raised, 0 where
    that is not allowed."""

    def __init__(self, raise_them=True):
        self.raise_them, self.before = raise_them, {}

    @property
    def count(self):
        return len(self.before)

    def __enter__(self):
        self.renew()
        return self

    def renew(self):
        for pid in workers() if self.raise_them else ():
            with contextlib.suppress(OSError):
                policy, priority = os.sched_getscheduler(pid), os.sched_getparam(pid)
                if policy == os.SCHED_OTHER:
                    os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(PRIORITY))
                    self.before[pid] = (policy, priority)

    def __exit__(self, *_):
        for pid, (policy, priority) in self.before.items():
            with contextlib.suppress(OSError):
                os.sched_setscheduler(pid, policy, priority)
