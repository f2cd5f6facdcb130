"""How many cores the process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["usable_cores"]


def usable_cores(root: Path = Path("/")) -> int:
    """The cores that the process may run on, or fewer where its control groups grant less time.

    Args:
        root: where /proc and /sys are.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # only Linux has it
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _granted(root))))


def _granted(root: Path) -> float:
    """Processor time per time that the control groups of the process grant; infinite for no limit.

    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max) and
    https://docs.kernel.org/scheduler/sched-bwc.html (cpu.cfs_quota_us of version 1).
    """
    least = math.inf
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers == "":
            mount = root / "sys/fs/cgroup"
        elif "cpu" in controllers.split(","):
            mount = root / "sys/fs/cgroup/cpu"
        else:
            continue
        # In a container the path may be that of the host; then the mount is the group itself.
        group = mount / path.strip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(mount):
                least = min(least, _quota(folder))
    return least


def _quota(folder: Path) -> float:
    quota, period = (_read(folder / "cpu.max").split() or ("", ""))[:2]
    if not quota:
        quota = _read(folder / "cpu.cfs_quota_us").strip()
        period = _read(folder / "cpu.cfs_period_us").strip()
    if quota.isdigit() and period.isdigit() and int(quota) and int(period):
        return int(quota) / int(period)
    return math.inf


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # there is no such controller, or it may not be read
        return ""
