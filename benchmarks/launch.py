"""Runs one command and writes what it took: python -I -S launch.py FIGURES COMMAND...

A small process of its own, since the kernel counts the memory of whoever starts a command as the
command's. ``FIGURES`` becomes: wall seconds, CPU seconds of all its processes, peak resident KiB of
the largest of them, exit status.
"""

import os
import sys
import time


def main() -> None:
    """Start the command, wait for it, write the figures."""
    figures, command = sys.argv[1], sys.argv[2:]
    began = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - began
    cpu = used.ru_utime + used.ru_stime
    with open(figures, "w") as file:
        file.write(f"{wall!r} {cpu!r} {used.ru_maxrss} {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
