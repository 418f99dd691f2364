"""The exception tree: what happened, to what, what to do, and the exit code (SPEC §4)."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command (SPEC §4)."""

    DONE = 0
    FOUND = 1
    USAGE = 2
    LOG_FILE = 3
    STORE = 4
    BUSY = 5
    BLIND = 6
    INTERRUPTED = 130


class TtsqError(Exception):
    """An error with one sentence for people, a hint that is worth trying, and an exit code."""

    exit_code: ExitCode = ExitCode.STORE

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageProblem(TtsqError):
    """An option, argument or parameter cannot be used as given."""

    exit_code = ExitCode.USAGE


class SettingsError(UsageProblem):
    """The configuration file cannot be used as it is."""


class FormatError(UsageProblem):
    """A log format or date format that cannot be turned into a reader."""


class ProfileError(UsageProblem):
    """A profile's file is wrong."""


class QueryFileError(UsageProblem):
    """A named query's file is wrong."""


class LogFileError(TtsqError):
    """A log file cannot be read."""

    exit_code = ExitCode.LOG_FILE


class DamagedFileError(LogFileError):
    """A compressed log file ends in the middle or does not decompress."""

    def __init__(self, message: str, hint: str | None = None, *, cut: bool = False) -> None:
        super().__init__(message, hint)
        self.cut = cut


class StoreError(TtsqError):
    """The store fails or refuses."""

    exit_code = ExitCode.STORE


class StoreBusyError(StoreError):
    """Another process holds the store, longer than we were willing to wait."""


class StoreLostError(StoreError):
    """The connection to a store is lost; what was not committed is undone."""


class ScarceMemoryError(TtsqError):
    """The process may not have the memory that its libraries take."""

    exit_code = ExitCode.STORE


class IngestBusyError(TtsqError):
    """Another ingest holds the store."""

    exit_code = ExitCode.BUSY


class BlindAlarm(TtsqError):
    """An alarm found nothing, and could not have: there is too little to look at."""

    exit_code = ExitCode.BLIND
