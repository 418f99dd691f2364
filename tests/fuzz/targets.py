"""All fuzz targets by name: functions of bytes that fail on what must not be."""

from collections.abc import Callable

from tests.fuzz import format_strings, opener, scanner, texts

TARGETS: dict[str, Callable[[bytes], None]] = {
    "scanner": scanner.scanner,
    "scanner_time": scanner.scanner_time,
    "file_opener": opener.file_opener,
    "format_string": format_strings.format_string,
    "format_written": format_strings.format_written,
    "settings": texts.settings,
    "query_header": texts.query_header,
    "query_time": texts.query_time,
    "traceback": texts.traceback,
    "traceback_time": texts.traceback_time,
}
