"""A line that sends a recorded request again does that in any sh, and nothing else, whatever a hub put into it."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.curl import curl_line, shell_word
from tests import outside
from tests.report.hostile import WORDS

SHELLS = [shell for shell in ("sh", "bash") if shutil.which(shell)]
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
EVIL = "'; touch pwned; echo $(touch pwned) `touch pwned` \n touch pwned # %s \\n \\"


def said(shell: str, script: str, cwd: Path) -> bytes:
    return subprocess.run([shell, "-c", script], cwd=cwd, capture_output=True, check=True, timeout=20).stdout


@dataclass
class Server:
    """Keeps what was sent to it."""

    url: str
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    outside.curl()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def parse_request(self) -> bool:
            whole = super().parse_request()
            if whole:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name: value.encode("latin-1").decode() for name, value in self.headers.items()}
                kept.seen.append((self.command, self.path, headers, self.rfile.read(length)))
                self.send_response(202)
                self.end_headers()
            return False

        def log_message(self, *_: Any) -> None:
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    kept = Server(f"http://127.0.0.1:{made.server_port}")
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield kept
    made.shutdown()
    thread.join(10)
    made.server_close()


BODIES: dict[str, Any] = {
    "an object": {"note": EVIL, "amount": "1", "name": "Zoë ✓ \u00a0\u2028"},
    "text": 'it\'s "quoted" $HOME `id` \\ %s %%',
    "lines": "one\ntwo\r\n\n",
    "unicode": "Zoë, ✓, ﷽ and \u00a0 no-break",
    "a control": "-a\x1b[2J\tb",
    "a file's name": "@/etc/passwd",
    "spaces": "   ",
    "nothing": "",
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", BODIES)
def test_curl_sends_what_was_recorded(server: Server, tmp_path: Path, name: str, shell: str) -> None:
    body = BODIES[name]
    headers = {
        "Content-Type": "application/vnd.interoperability.transfers+json;version=1.1",
        "FSPIOP-Signature": '{"signature":"it\'s","protectedHeader":"a"}',
        "X-Name": "Zoë \u00a0 ✓",
        "X-Evil": EVIL,
        "X-Empty": "",
        "Host": "elsewhere.invalid",
        "Content-Length": "7",
        "@/etc/passwd": "x",
        "a b": "c",
    }
    line = curl_line(
        {"method": "POST", "url": f"{server.url}/transfers?x=[1]{{a}}'", "headers": headers, "body": body},
        longest=4_000,
    )
    assert "\n" not in line
    server.seen.clear()
    out = said(shell, line, tmp_path)
    assert out.startswith(b"HTTP/1.0 202")
    ((method, path, sent, data),) = server.seen
    assert (method, path) == ("POST", "/transfers?x=[1]{a}'")
    for kept in ("Content-Type", "FSPIOP-Signature", "X-Empty"):
        assert sent[kept] == headers[kept]
    assert sent["X-Name"].split() == headers["X-Name"].split()
    assert sent["X-Evil"] == " ".join(EVIL.split())
    assert sent["Host"] in server.url
    assert not sent.keys() & {"@/etc/passwd", "a b"}
    assert (json.loads(data) if isinstance(body, dict) else data.decode()) == body
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_curl_makes_a_request_of_each_method_and_comes_back(server: Server, tmp_path: Path, method: str) -> None:
    server.seen.clear()
    said("sh", curl_line({"method": method, "url": f"{server.url}/participants"}, longest=100), tmp_path)
    assert [(seen[0], seen[1]) for seen in server.seen] == [(method, "/participants")]


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=25, deadline=None)
@given(texts=st.lists(ANY, min_size=1, max_size=20))
def test_a_word_is_one_word_for_the_shell_whatever_it_is(
    tmp_path_factory: pytest.TempPathFactory, shell: str, texts: list[str]
) -> None:
    words = [shell_word(text) for text in texts]
    assert not any("\n" in word or "\x1b" in word for word in words)
    shown = said(shell, "printf '%s\\0' " + " ".join(words), tmp_path_factory.getbasetemp())
    assert shown.decode().split("\0")[:-1] == [text.rstrip("\n").replace("\0", "").rstrip("\n") for text in texts]


def test_a_line_is_one_command_whatever_stands_in_the_request(tmp_path: Path) -> None:
    stub = tmp_path / "bin"
    stub.mkdir()
    (stub / "curl").write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done\n')
    (stub / "curl").chmod(0o755)
    for word in (*WORDS, EVIL):
        request = {"method": word, "url": word, "headers": {"X": word, f"@{word}": word}, "body": {"a": word}}
        line = curl_line(request, longest=4_000)
        assert "\n" not in line
        assert line.isprintable()
        told = said("sh", f"PATH={stub}:$PATH; {line}", tmp_path).decode("utf-8", "surrogatepass").split("\0")[:-1]
        assert told[:8] == [
            "--silent", "--show-error", "--include", "--globoff", "--proto", "=http,https", "--request", "GET",
        ]  # fmt: skip
        assert told[8] == "--header"
        assert json.loads(told[told.index("--data-raw") + 1])["a"] == word
        assert told[-2:] == ["--url", word.replace("\0", "")]
        assert not (tmp_path / "pwned").exists()
    assert curl_line({"method": "POST\n-o x", "url": "-K/etc/passwd", "body": "@/etc/passwd"}, longest=99).endswith(
        "--request GET --data-raw @/etc/passwd --url -K/etc/passwd"
    )


def test_what_is_too_long_is_left_out_and_said() -> None:
    request = {"url": "http://x", "body": "y" * 9_000, "headers": {"A": "z" * 5_000, "B": "b"}}
    line = curl_line(request, longest=4_000)
    assert line.endswith("  # left out: body of 9,000 characters, header A: see exchanges.jsonl")
    assert "--header 'B: b'" in line
    assert len(line) < 300
    assert "y" * 9_000 in curl_line(request, longest=9_001)
    assert curl_line({"url": "http://" + "x" * 200}, longest=100) == "# its URL has 207 characters: see exchanges.jsonl"
    assert curl_line({"method": "GET"}, longest=100) == "# its URL is not known: see exchanges.jsonl"
