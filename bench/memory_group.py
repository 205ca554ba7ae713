"""A memory cgroup of a process's own: what it and the pages of files that it reads may take.

Version 1 (/sys/fs/cgroup/memory) and version 2. The group is made below that of this process or,
in version 2, where a group with processes cannot have others below it, beside it.
"""

import contextlib
import os
import time

ROOT = "/sys/fs/cgroup"


class NoGroup(RuntimeError):
    """Neither version lets this process make a memory cgroup."""


class MemoryGroup:
    """A context: the group is there within it."""

    def __init__(self, name):
        self.folder, self.names = None, None
        refused = []
        for folder, names in candidates():
            self.folder, self.names = os.path.join(folder, name), names
            try:
                os.mkdir(self.folder)
                if os.access(os.path.join(self.folder, names["limit"]), os.W_OK):
                    return
                os.rmdir(self.folder)
                refused.append(f"{folder}: no {names['limit']}")
            except OSError as error:
                refused.append(f"{folder}: {error.strerror}")
        raise NoGroup("no memory cgroup can be made: " + "; ".join(refused))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(50):  # the last process may still be leaving
            with contextlib.suppress(OSError):
                os.rmdir(self.folder)
                return
            time.sleep(.1)

    def join(self):
        """Puts the calling process into the group."""
        self.write("cgroup.procs", os.getpid())

    def used(self):
        """Bytes charged now: memory of the processes, pages of files, and what the kernel keeps."""
        return int(self.read(self.names["used"]))

    def limit(self, count):
        """At most so many bytes from now on, without swap."""
        self.write(self.names["limit"], count)
        with contextlib.suppress(OSError):
            self.write(self.names["swap"], count if self.names is VERSION_1 else 0)

    def kills(self):
        """How many processes the kernel has killed for memory."""
        for line in self.read(self.names["events"]).splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="ascii") as file:
            return file.read()

    def write(self, name, value):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(str(value))


VERSION_1 = {"limit": "memory.limit_in_bytes", "used": "memory.usage_in_bytes",
             "swap": "memory.memsw.limit_in_bytes", "events": "memory.oom_control"}
VERSION_2 = {"limit": "memory.max", "used": "memory.current", "swap": "memory.swap.max",
             "events": "memory.events"}


def candidates():
    """(folder, names of its files) where a group might be made."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        own = {controllers: path.lstrip("/") for _, controllers, path in
               (line.rstrip("\n").split(":", 2) for line in file)}
    for controllers, path in own.items():
        if "memory" in controllers.split(","):
            yield os.path.join(ROOT, "memory", path), VERSION_1
    if "" in own:
        folder = os.path.join(ROOT, own[""])
        while folder.startswith(ROOT):
            with contextlib.suppress(OSError):
                with open(os.path.join(folder, "cgroup.subtree_control"), encoding="ascii") as file:
                    if "memory" in file.read().split():
                        yield folder, VERSION_2
            folder = os.path.dirname(folder.rstrip("/"))
