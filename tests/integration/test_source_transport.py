"""The HTTPS requests for videos from URLs: where they go, whom they trust, and what counts as an answer."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from video_jobs.adapters.source_http import HttpsSourceReader
from video_jobs.domain.errors import SourceError
from video_jobs.source_ports import SourceAnswer

from tests.support.source_server import PUBLIC, URL, SourceServer

CONTENT = bytes(range(256)) * 4000


def read(server: SourceServer, url: str = URL, start: int = 0, etag: str | None = None) -> bytes:
    with server.reader().open(url, start, etag) as answer:
        assert answer.start == start
        return b"".join(answer.blocks)


def read_until_it_breaks(server: SourceServer, wait_s: float = 5) -> tuple[list[bytes], SourceError]:
    """The blocks that came, and the error after them."""
    blocks: list[bytes] = []
    try:
        with server.reader(wait_s).open(URL) as answer:
            blocks.extend(iter(answer.blocks))
    except SourceError as error:
        return blocks, error
    raise AssertionError("it did not break")


def refusal(server: SourceServer, url: str = URL, wait_s: float = 5) -> SourceError:
    """The error of a request, which comes within ten seconds and does not name the URL."""
    started = time.monotonic()
    with pytest.raises(SourceError) as raised, server.reader(wait_s).open(url) as answer:
        list(answer.blocks)
    assert time.monotonic() - started < 10
    assert "signature" not in repr(raised.value)
    return raised.value


def told(answer: SourceAnswer) -> tuple[int, int | None, str | None]:
    return (answer.start, answer.size_bytes, answer.etag)


def test_a_file_comes_whole_with_what_the_server_says_of_it(source_server: SourceServer) -> None:
    source_server.serve(CONTENT)
    with source_server.reader().open(URL) as answer:
        assert told(answer) == (0, len(CONTENT), '"one"')
        assert b"".join(answer.blocks) == CONTENT
    (asked,) = source_server.asked
    assert (asked.headers["host"], asked.headers["accept-encoding"]) == ("source.example", "identity")
    assert "range" not in asked.headers
    assert source_server.connected == [(PUBLIC, 443)]


@pytest.mark.parametrize("etag", [None, 'W/"weak"', "no quotes", '""'])
def test_without_a_strong_etag_a_file_cannot_be_continued(
    source_server: SourceServer, etag: str | None
) -> None:
    source_server.serve(CONTENT, etag=etag)
    with source_server.reader().open(URL) as answer:
        assert told(answer) == (0, len(CONTENT), None)


def test_nor_can_one_of_unknown_length_or_of_a_server_that_says_so(source_server: SourceServer) -> None:
    source_server.serve(CONTENT, is_declared=False)
    with source_server.reader().open(URL) as answer:
        assert told(answer) == (0, None, None)
        assert b"".join(answer.blocks) == CONTENT
    source_server.serve(CONTENT, headers={"accept-ranges": "none"})
    with source_server.reader().open(URL) as answer:
        assert answer.etag is None


def test_the_rest_is_asked_for_under_the_condition_that_the_content_is_the_same(
    source_server: SourceServer,
) -> None:
    source_server.serve(CONTENT)
    assert read(source_server, start=1000, etag='"one"') == CONTENT[1000:]
    (asked,) = source_server.asked
    assert (asked.headers["range"], asked.headers["if-range"]) == ("bytes=1000-", '"one"')


@pytest.mark.parametrize(
    "how", [{"etag": '"two"'}, {"has_ranges": False}, {"etag": '"two"', "heeds_if_range": False}]
)
def test_a_changed_file_or_a_server_without_ranges_begins_at_the_first_byte(
    source_server: SourceServer, how: dict[str, Any]
) -> None:
    source_server.serve(CONTENT, **how)
    with source_server.reader().open(URL, 1000, '"one"') as answer:
        assert told(answer) == (0, len(CONTENT), how.get("etag", '"one"'))
        assert b"".join(answer.blocks) == CONTENT


def test_a_file_that_is_shorter_now_begins_at_the_first_byte(source_server: SourceServer) -> None:
    source_server.serve(CONTENT)
    with source_server.reader().open(URL, len(CONTENT), '"one"') as answer:
        assert told(answer) == (0, len(CONTENT), '"one"')


def test_a_part_that_nobody_asked_for_is_no_file(source_server: SourceServer) -> None:
    source_server.serve(CONTENT, status=206, headers={"content-range": "bytes 0-9/10"})
    assert refusal(source_server).code == "source_refused"


@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize("properly", [True, False])
def test_a_connection_that_breaks_is_told_after_what_came(
    source_server: SourceServer, is_declared: bool, properly: bool
) -> None:
    file = source_server.serve(CONTENT, is_declared=is_declared, cuts_properly=properly)
    file.cuts.append(5000)
    blocks, error = read_until_it_breaks(source_server)
    assert (error.code, error.may_pass) == ("source_interrupted", True)
    came = b"".join(blocks)
    assert came == CONTENT[: len(came)]
    assert len(came) == 5000 or not is_declared


def test_where_only_the_end_of_the_connection_ends_a_file_it_must_be_a_proper_end(
    source_server: SourceServer,
) -> None:
    file = source_server.serve(CONTENT, ends_by_closing=True)
    assert read(source_server) == CONTENT
    file.cuts.append(5000)
    blocks, error = read_until_it_breaks(source_server)
    assert (error.code, b"".join(blocks)) == ("source_interrupted", CONTENT[:5000])


@pytest.mark.parametrize(
    ("status", "code", "may_pass"),
    [
        (404, "source_not_found", False),
        (410, "source_not_found", False),
        (401, "source_refused", False),
        (403, "source_refused", False),
        (204, "source_refused", False),
        (400, "source_refused", False),
        (408, "source_unreachable", True),
        (429, "source_unreachable", True),
        (500, "source_unreachable", True),
        (503, "source_unreachable", True),
    ],
)
def test_an_error_of_the_server_has_its_reason(
    source_server: SourceServer, status: int, code: str, may_pass: bool
) -> None:
    source_server.serve(b"", status=status)
    error = refusal(source_server)
    assert (error.code, error.may_pass) == (code, may_pass)


def test_a_compressed_file_is_refused(source_server: SourceServer) -> None:
    source_server.serve(CONTENT, headers={"content-encoding": "gzip"})
    assert refusal(source_server).code == "source_refused"


# --- who is called ---------------------------------------------------------------------------------


@pytest.mark.parametrize("addresses", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["169.254.169.254"], ["::1"]])
def test_a_host_with_an_address_that_is_not_public_is_not_called(
    source_server: SourceServer, addresses: list[str]
) -> None:
    source_server.addresses["source.example"] = addresses
    error = refusal(source_server)
    assert (error.code, error.may_pass) == ("source_forbidden_address", False)
    assert source_server.connected == []


def test_the_reader_of_the_product_has_no_way_to_a_loopback_address() -> None:
    reader = HttpsSourceReader(lambda *_: ["127.0.0.1"])
    with pytest.raises(SourceError, match="not public"), reader.open("https://source.example/"):
        pass


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_to_a_checked_address(source_server: SourceServer, status: int) -> None:
    source_server.addresses["cdn.example"] = ["1.1.1.1"]
    source_server.redirect("/video?signature=secret", "https://cdn.example/file#part", status)
    source_server.serve(CONTENT, "/file")
    assert read(source_server) == CONTENT
    assert source_server.connected == [(PUBLIC, 443), ("1.1.1.1", 443)]
    assert source_server.asked[1].headers["host"] == "cdn.example"


def test_five_redirects_are_followed_and_six_are_not(source_server: SourceServer) -> None:
    for number in range(6):
        source_server.redirect(f"/{number}", f"/{number + 1}")
    source_server.serve(CONTENT, "/6")
    assert read(source_server, "https://source.example/1") == CONTENT
    assert refusal(source_server, "https://source.example/0").code == "source_bad_redirect"


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("https://127.0.0.1/", "source_forbidden_address"),
        ("https://169.254.169.254/latest/meta-data/", "source_forbidden_address"),
        ("https://localhost/", "source_forbidden_address"),
        ("https://inside.example/", "source_forbidden_address"),
        ("http://cdn.example/", "source_bad_redirect"),
        ("https://cdn.example:8443/", "source_bad_redirect"),
        ("https://user:password@cdn.example/", "source_bad_redirect"),
        ("ftp://cdn.example/", "source_bad_redirect"),
        ("https://[::1", "source_bad_redirect"),
        ("", "source_bad_redirect"),
    ],
)
def test_a_redirect_to_anywhere_else_is_not_followed(
    source_server: SourceServer, location: str, code: str
) -> None:
    source_server.addresses["inside.example"] = ["10.0.0.1"]
    source_server.redirect("/video?signature=secret", location)
    error = refusal(source_server)
    assert (error.code, error.may_pass) == (code, False)
    assert set(source_server.connected) == {(PUBLIC, 443)}


def test_a_wrong_certificate_is_refused_for_good(source_server: SourceServer) -> None:
    source_server.addresses["other.example"] = [PUBLIC]
    error = refusal(source_server, "https://other.example/")
    assert (error.code, error.may_pass) == ("source_unreachable", False)
    assert source_server.asked == []


def test_a_host_without_an_address_or_a_listener_may_have_one_later(source_server: SourceServer) -> None:
    error = refusal(source_server, "https://nowhere.example/")
    assert (error.code, error.may_pass) == ("source_unreachable", True)

    def refuse(*_: object) -> socket.socket:
        raise ConnectionRefusedError

    reader = HttpsSourceReader(lambda *_: [PUBLIC], refuse)
    with pytest.raises(SourceError, match="ConnectionRefusedError"), reader.open(URL):
        pass


# --- servers that are slow --------------------------------------------------------------------------


def test_a_server_that_says_nothing_is_given_up(source_server: SourceServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reader = HttpsSourceReader(
            lambda *_: [PUBLIC], lambda _, wait_s: socket.create_connection(silent.getsockname(), wait_s), 0.5
        )
        started = time.monotonic()
        with pytest.raises(SourceError, match="could not be reached"), reader.open(URL):
            pass
        assert time.monotonic() - started < 10


def test_what_drips_is_handed_on_as_it_comes_and_ends_with_the_time_of_a_body(
    source_server: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a body that may take longer than the server may be silent
    monkeypatch.setattr("video_jobs.adapters.source_http.BODY_LIMIT_S", 1.0)
    source_server.serve(CONTENT, drips=True)
    started = time.monotonic()
    # WHEN it comes byte by byte, without an end
    blocks, error = read_until_it_breaks(source_server, wait_s=0.5)
    # THEN it is given up when its own time is over
    assert 1 <= time.monotonic() - started < 10
    assert error.code == "source_interrupted"
    assert len(blocks) > 1
    assert set(b"".join(blocks)) == {ord("x")}


def test_a_url_stays_out_of_the_log(source_server: SourceServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    source_server.redirect("/video?signature=secret", "https://cdn.example/file?token=secret")
    refusal(source_server)
    assert "secret" not in caplog.text
