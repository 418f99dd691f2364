"""Envelopes of what ships logs as JSON, one object a line (pure).

fluent-bit and fluentd, vector's sources, filebeat, Loki (``logcli -o jsonl``), ``stern -o json``,
Google's and Azure's exports, CloudWatch's events, pm2's ``log_type json``, GELF, Datadog's intake,
exports of Splunk, Aliyun and Tencent, rsyslog's JSON: each puts the program's line into one member
and names where it comes from in others. An object is such an envelope if one of its members is a
mark of these and none is a name that they do not use: a service's own record has more to say.
"""

import json
from typing import Any

from ingest.lazily import matcher
from ingest.records.moments import told_stamp
from ingest.records.wrapped import Wrapped

NAME = "shipped json"
_LINES = (
    "log",
    "message",
    "line",
    "textPayload",
    "Log",
    "short_message",
    "_raw",
    "content",
    "__CONTENT__",
)
_TIMES = (
    "time",
    "timestamp",
    "@timestamp",
    "date",
    "TimeStamp",
    "_time",
    "_time_",
    "__time__",
    "__TIMESTAMP__",
)
_STREAMS = frozenset(("stdout", "stderr", "out", "err"))
# what no service writes of itself; cheaper to look for than to read an object
_MARK = matcher(
    rb'"(?:stream|kubernetes|source_type|labels|textPayload|jsonPayload|TimeStamp|process_id'
    rb"|logStreamName|ingestionTime|short_message|_raw|container_(?:id|name)|agent|dd(?:source|tags)"
    rb'|_source|__time__|__CONTENT__|podName|syslogtag)"[ ]?:'
)
_KNOWN = frozenset((
    *_LINES, *_TIMES, "stream", "kubernetes", "docker", "container_id", "container_name",
    "container_created_at", "image", "label", "labels", "host", "hostname", "source_type", "source",
    "file", "input", "agent", "ecs", "event", "offset", "cloud", "container", "orchestrator",
    "tags", "tag", "logtag", "insertId", "logName", "resource", "receiveTimestamp", "severity",
    "trace", "spanId", "traceSampled", "ingestionTime", "eventId", "logStreamName", "logGroupName",
    "process_id", "app_name", "type", "version", "level", "facility", "ddsource", "ddtags",
    "service", "status", "id", "attrs", "partial", "partial_message", "partial_id",
    "partial_ordinal", "partial_last", "filename", "cluster", "namespace", "pod", "node",
    "node_name", "fields", "detected_level", "environment", "index", "sourcetype", "timestamp_end",
    "pod_name", "pod_ip", "cluster_name", "stream_name", "@version", "port", "ContainerName",
    "jsonPayload", "sourceLocation", "operation", "pid", "@metadata", "nodeName", "podName",
    "syslogtag",
    "containerName",
))  # fmt: skip


def shipped(line: bytes) -> Wrapped | None:
    """The program's line in an object of a shipper's; None for any other line."""
    if _MARK.search(line) is None:
        return None
    found = json_object(line)
    return None if found is None else inside(found)


def json_object(line: bytes) -> dict[str, Any] | None:
    """The members of a line that is one JSON object."""
    try:
        found = json.loads(line, strict=False)  # escapes of terminals may stand bare in it
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def inside(found: dict[str, Any]) -> Wrapped | None:
    """The program's line in the members of an object; None where they are no shipper's."""
    for name in ("_source", "result"):  # of Elasticsearch's hits, of Splunk's
        inner = found.get(name)
        if isinstance(inner, dict):
            found = inner
            break
    if not _is_shippers(found):
        return None
    text = _text(found)
    if text is None:
        return None
    stamp = next((s for name in _TIMES if (s := told_stamp(found.get(name)))), None)
    stream = found.get("stream")
    return Wrapped(
        text.removesuffix("\n").encode("utf-8", "replace"),
        stamp,
        _origin(found),
        stream if isinstance(stream, str) and stream in _STREAMS else None,
        partial=_is_part(found),
        names=(NAME,),
    )


def _is_shippers(found: dict[str, Any]) -> bool:
    """Whether the members are those of a shipper, and nothing of a service's own is among them."""
    if not all(name in _KNOWN or name[:1] == "_" or "." in name for name in found):
        return False
    return (
        found.get("stream") in ("stdout", "stderr")
        or found.get("source_type") is not None
        or (not _PAYLOADS.isdisjoint(found) and not _LOGGING.isdisjoint(found))
        or "_raw" in found
        or found.keys() >= {"__time__", "content"}
        or "__CONTENT__" in found
        or found.keys() >= {"syslogtag", "host"}
        or found.keys() >= {"labels", "line"}
        or found.keys() >= {"TimeStamp", "Log"}
        or found.keys() >= {"podName", "containerName"}
        or (found.keys() >= {"process_id", "app_name"} and found.get("type") in ("out", "err"))
        or found.keys() >= {"short_message", "version"}
        or not _CERTAIN.isdisjoint(found)
        or any(isinstance(found.get(name), dict) for name in ("kubernetes", "agent"))
    )


# of an entry of Google's Logging, which names its resource: of GKE, all that stderr has is "ERROR"
_PAYLOADS = frozenset(("textPayload", "jsonPayload"))
_LOGGING = frozenset(("insertId", "logName", "resource"))
_CERTAIN = frozenset((
    "logStreamName", "ingestionTime", "container_id", "container_name", "ddsource", "ddtags",
))  # fmt: skip


def _text(found: dict[str, Any]) -> str | None:
    """The line that was shipped; a service's own object as it would have written it."""
    payload = found.get("jsonPayload")
    if isinstance(payload, dict):
        severity = found.get("severity")
        return json.dumps({**({"severity": severity} if severity else {}), **payload})
    text = next((found[name] for name in _LINES if isinstance(found.get(name), str)), None)
    # rsyslog's property msg begins with the space behind the tag
    return text.removeprefix(" ") if text is not None and "syslogtag" in found else text


_CONTAINER = (
    "container_name", "container", "ContainerName", "containerName", "_container_name_",
)  # fmt: skip


def _is_part(found: dict[str, Any]) -> bool:
    """Whether the line goes on in the next: CRI's tag as fluent-bit keeps it, docker's in fluentd's
    driver.
    """
    if str(found.get("partial_message")).lower() == "true":
        return str(found.get("partial_last")).lower() != "true"
    return "P" in (found.get("logtag"), found.get("_p"))


def _origin(found: dict[str, Any]) -> str | None:
    """The pod and container, else the container, application or stream, else host and file."""
    resource = found.get("resource")
    places = [
        found.get("kubernetes"),
        found.get("labels"),
        resource.get("labels") if isinstance(resource, dict) else None,
        found,
    ]
    for place in places:
        if not isinstance(place, dict):
            continue
        pod = _name(place, "pod_name", "pod", "podName", "_pod_name_")
        container = _name(place, *_CONTAINER)
        if pod or container:
            return "/".join(part for part in (pod, container) if part)
    name = _name(found, "app_name", "logStreamName", "_container_name", "service")
    if name is not None:
        return name
    tag = _name(found, "syslogtag")
    if tag is not None:
        return "/".join(part for part in (_name(found, "host"), tag.rstrip(" :")) if part)
    log, file = found.get("log"), found.get("file")
    path = log.get("file") if isinstance(log, dict) else file
    host = _name(found, "host", "hostname")
    parts = (host, path if isinstance(path, str) else _name({"file": path}, "file"))
    return ":".join(part for part in parts if part) or None


def _name(place: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = place.get(name)
        if isinstance(value, dict):
            value = value.get("name") or value.get("path")
        if isinstance(value, str) and value:
            return value.removeprefix("/")[:253].encode("utf-8", "replace").decode()
    return None
