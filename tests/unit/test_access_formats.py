"""Access lines by a server's own format string."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import FormatError
from ingest.records.access import access_of
from ingest.records.access_formats import BUILT_IN, compile_access

_STAMP = b"02/Mar/2026:10:00:00 +0000"


def test_a_log_format_as_it_stands_in_nginx_s_configuration() -> None:
    fmt = compile_access(
        """log_format timed escape=json '{"t":"$time_iso8601","ip":"$remote_addr","m":"$request_method",'
        '"u":"$request_uri","s":$status,"rt":$request_time,"urt":"$upstream_response_time",'
        '"id":"$request_id","ua":"$http_user_agent"}';"""  # noqa: E501
    )
    access = fmt.of(
        b'{"t":"2026-03-02T10:00:00+00:00","ip":"10.0.0.7","m":"POST","u":"/tts?text=a\\"b","s":200,'
        b'"rt":1.250,"urt":"0.5, 0.7","id":"abc","ua":"x\\u4f60"}'
    )
    assert access is not None
    assert (access.server, access.method, access.path, access.status) == (
        "nginx",
        "POST",
        "/tts",
        200,
    )
    assert access.columns == {
        "query": 'text=a"b', "client": "10.0.0.7", "request_ms": "1250", "upstream_ms": "1200",
        "request_id": "abc", "user_agent": "x你",
    }  # fmt: skip
    assert access.more == {"upstream_response_time": "0.5, 0.7"}


def test_a_log_format_as_it_stands_in_apache_s_configuration() -> None:
    fmt = compile_access(
        r'LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D '
        r'%{X-Request-ID}i" timed'
    )
    line = (
        b'10.0.0.7 - - [%s] "GET /tts?x=1 HTTP/1.1" 200 5 "-" "curl \\"x\\"" 1250000 abc' % _STAMP
    )
    access = fmt.of(line)
    assert access is not None
    assert access.server == "apache"
    assert access.columns == {
        "query": "x=1", "protocol": "HTTP/1.1", "client": "10.0.0.7", "bytes_sent": "5",
        "user_agent": 'curl "x"', "request_ms": "1250", "request_id": "abc",
    }  # fmt: skip


def test_gunicorn_s_access_log_format() -> None:
    fmt = compile_access('%(t)s %(h)s "%(r)s" %(s)s %(L)s %({x-request-id}i)s')
    access = fmt.of(b'[%s] 10.0.0.7 "POST /tts HTTP/1.1" 200 1.25 rid7' % _STAMP)
    assert access is not None
    assert access.stamp is not None
    assert (access.columns["request_ms"], access.columns["request_id"]) == ("1250", "rid7")


def test_several_upstreams_are_one_time_and_keep_their_list() -> None:
    fmt = compile_access(
        '$remote_addr [$time_local] "$request" $status $upstream_addr $upstream_response_time'
    )
    line = b'10.0.0.7 [%s] "POST /tts HTTP/1.1" 502 10.0.0.1:80, 10.0.0.2:80 0.1, 0.2' % _STAMP
    access = fmt.of(line)
    assert access is not None
    assert access.columns["upstream_ms"] == "300"
    assert access.more["upstream_addr"] == "10.0.0.1:80, 10.0.0.2:80"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("$remote_addr $request", "no status"),
        ("%h %t", "no status"),
        ("nothing", "no status"),
        ('"$request" $status $uri$args', "nothing between"),
    ],
)
def test_a_format_that_cannot_be_read_says_why(text: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        compile_access(text)


@pytest.mark.parametrize(
    "name", [name for name, b in BUILT_IN.items() if b.text and name != "nginx-json"]
)
def test_a_built_in_format_is_recognised_without_an_option(name: str) -> None:
    line = b'10.0.0.7 - - [%s] "POST /tts HTTP/1.1" 200 512 "-" "curl/8.5"' % _STAMP
    if name == "uvicorn":
        line = b'10.0.0.7:51234 - "POST /tts HTTP/1.1" 200'
    if name == "apache-common":
        line = line.removesuffix(b' "-" "curl/8.5"')
    if name == "nginx-timed":
        line += b" rt=1.250 urt=1.200 rid=abc"
    by_format, by_itself = compile_access(name).of(line), access_of(line, None)
    assert by_format is not None
    assert by_itself is not None
    assert by_format.path == by_itself.path == "/tts"
    assert by_format.columns.get("request_ms") == by_itself.columns.get("request_ms")
    assert by_format.columns.get("request_id") == by_itself.columns.get("request_id")


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_a_user_sends_never_becomes_another_field(query: str, agent: str) -> None:
    fmt = compile_access("nginx-timed")

    def escaped(text: str) -> bytes:
        """As nginx escapes a value: quotes, backslashes and control characters as \\xXX."""
        return b"".join(
            b"\\x%02X" % c if c < 32 or c == 127 or c in b'"\\' else bytes([c])
            for c in text.encode("utf-8", "replace")
        )

    asked = escaped(query.replace(" ", "+"))
    line = (
        b'10.0.0.7 - - [%s] "POST /tts?text=%s HTTP/1.1" 200 512 "-" "%s" rt=1.250 urt=1.200 '
        b"rid=abc" % (_STAMP, asked, escaped(agent))
    )
    access = fmt.of(line)
    assert access is not None
    assert (access.path, access.status) == ("/tts", 200)
    assert access.columns["query"] == "text=" + query.replace(" ", "+").encode(
        "utf-8", "replace"
    ).decode("utf-8", "replace")
    assert (access.columns["request_ms"], access.columns["request_id"]) == ("1250", "abc")
    assert access.columns.get("user_agent", "") in (agent, "") or agent in ("-", "")
