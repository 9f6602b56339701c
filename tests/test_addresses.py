"""Addresses that Apprise knows: read with clear errors, shown and logged without anything secret."""

import http.server
import logging
import threading
from collections.abc import Iterator

import pytest
from smtp_server import PASSWORD, Mailbox, free_port

from bot.addresses import BadAddress, read, send


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(port=free_port())
    box.open()
    yield box
    box.close()


@pytest.fixture
def everything_logged() -> Iterator[list[str]]:
    """What any library says to the log that Interlude writes, down to the smallest level."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(f"{record.name} {record.getMessage()}")

    root, listener, level = logging.getLogger(), Listener(), logging.getLogger().level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    yield said
    root.removeHandler(listener)
    root.setLevel(level)


@pytest.mark.parametrize(
    ("address", "kind", "shown"),
    [
        ("mailto://quill:pw@clinic.example?to=quill@clinic.example", "mailto", "E-Mail (q…@clinic.example)"),
        ("mailtos://u:pw@smtp.clinic.example:587?to=Dr Quill<quill@clinic.example>", "mailtos", "E-Mail (q…@clin"),
        (f"twilio://AC{'a' * 32}:{'b' * 32}@+15551230001/+15551230002", "twilio", "Twilio (…02)"),
        ("pagerduty://integrationkey@apikey", "pagerduty", "Pager Duty"),
        ("workflows://clinic.example:443/workflow/signature", "workflows", "Power Automate / Workflows (for MSTeams)"),
        ("json://u:pw@clinic.example/hidden-token", "json", "JSON"),
    ],
)
def test_what_is_shown_of_an_address_holds_no_secret(address: str, kind: str, shown: str) -> None:
    known = read(address)
    assert known.kind == kind
    assert known.shown.startswith(shown)
    for secret in ("pw", "aaaa", "bbbb", "key", "signature", "hidden", "quill@"):
        assert secret not in known.shown


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "begins with the service's name"),
        ("quill@clinic.example", "begins with the service's name"),
        ("malto://u:pa55@clinic.example", "did you mean mailto://"),
        ("carrier-pigeon://pa55", "docs/CHANNELS.md"),
        ("mailto://nobody", "it looks like mailto://{host}"),
        ("twilio://pa55:pa55@+1555/", "{account_sid}:{auth_token}@{from_phone}"),
        ("mailto://u:pa55@clinic.example?to=a@clinic.example,b@clinic.example", "a channel for each"),
        ("mailto://u:pa55@clinic.example?to=a@clinic.example&cc=b@clinic.example", "a channel for each"),
    ],
)
def test_an_address_that_cannot_be_used_says_what_to_do_and_nothing_secret(address: str, said: str) -> None:
    with pytest.raises(BadAddress) as error:
        read(address)
    assert said in str(error.value)
    assert "pa55" not in str(error.value)


def test_why_a_page_did_not_go_out_is_told_apart(mailbox: Mailbox) -> None:
    assert send(mailbox.address(), "title", "body") is None
    assert send(mailbox.address(password="wrong"), "title", "body") == "login"
    mailbox.refuse = 1
    assert send(mailbox.address(), "title", "body") == "not-accepted"
    mailbox.close()
    assert send(mailbox.address(), "title", "body") == "not-reached"
    assert send("mailto://u:pw@nowhere.invalid?to=quill@clinic.example", "title", "body") == "unknown-host"
    assert send("what used to be an address", "title", "body") == "bad-address"


class Forbidding(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(403)
        self.end_headers()

    def log_message(self, *_given: object) -> None:
        return


@pytest.fixture
def forbidding() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forbidding) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_no_line_of_any_log_holds_an_address_or_a_password(
    mailbox: Mailbox, forbidding: int, everything_logged: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    read(mailbox.address())
    send(mailbox.address(), "title", "body")
    send(mailbox.address(password="Wr0ng-word"), "title", "body")
    mailbox.refuse = 1
    send(mailbox.address(), "title", "body")
    assert send(f"json://u:{PASSWORD}@127.0.0.1:{forbidding}/hidden-token", "title", "body") == "login"
    mailbox.close()
    send(mailbox.address(), "title", "body")
    with pytest.raises(BadAddress):
        read(f"twilio://{PASSWORD}:hidden-token@+1555/")
    shown = capfd.readouterr()
    written = "\n".join([*everything_logged, shown.out, shown.err])
    for secret in (PASSWORD, "Wr0ng-word", "hidden-token", "quill", "clinic.example"):
        assert secret not in written


def test_apprise_is_loaded_only_by_who_has_a_channel() -> None:
    import subprocess
    import sys

    program = "import sys, bot.app, bot.cli, bot.paging; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
