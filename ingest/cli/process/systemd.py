"""Notifications to systemd (sd_notify(3)): one datagram per message, none without NOTIFY_SOCKET."""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """The manager that started this process, if it wants notifications (``Type=notify``)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._alive_at = float("-inf")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        micros = environment.get("WATCHDOG_USEC", "") if mine else ""
        # half the time it waits, as sd_watchdog_enabled(3) recommends
        self.alive_seconds = int(micros) / 2e6 if micros.isdecimal() and int(micros) else None

    def ready(self) -> None:
        """The service is up."""
        self._tell("READY=1")

    def alive(self) -> None:
        """The service is at work; told no more often than needed."""
        if self.alive_seconds is not None:
            now = time.monotonic()
            if now - self._alive_at >= self.alive_seconds / 2:
                self._alive_at = now
                self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._tell("STATUS=" + " ".join(text.split()))

    def stopping(self) -> None:
        """The service is about to end."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        # "@" stands for the NUL byte of an abstract name
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        # a manager that is gone must not end the service
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(message.encode(errors="replace"), address)
