"""What this machine has to offer an engine."""

import os
from pathlib import Path

MIB = 1 << 20


def free_bytes() -> int:
    """Return the memory that can still be used, in bytes: the machine's, or the container's where that is less."""
    import psutil  # type: ignore[import-untyped]

    free = int(psutil.virtual_memory().available)
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no container limit: no such file, or the word "max"
        return free
    return min(free, max(0, limit - used))


def physical_cores() -> int:
    """Return the number of physical cores this process may use."""
    import psutil

    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return min(cores, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else cores
