"""A real SMTP server of this machine's own, which keeps what it gets and refuses what it is told to."""

import logging
import socket
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "s3cret-Passw0rd"


@dataclass
class Mailbox:
    """What came, and how many more messages are to be refused."""

    port: int
    got: list[EmailMessage] = field(default_factory=list)
    seen: int = 0
    refuse: int = 0
    controller: Controller | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.seen += 1
        if self.refuse:
            self.refuse -= 1
            return "550 not now, please"
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    def open(self) -> None:
        logging.getLogger("mail.log").disabled = True  # what this server says in its thread is nobody's matter
        self.controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            auth_require_tls=False,
            authenticator=lambda server, session, envelope, mechanism, data: AuthResult(
                success=isinstance(data, LoginPassword) and data.password == PASSWORD.encode(), handled=False
            ),
        )
        self.controller.start()

    def close(self) -> None:
        if self.controller:
            self.controller.stop()
            self.controller = None

    def address(self, to: str = "quill@clinic.example", password: str = PASSWORD) -> str:
        return f"mailto://quill:{password}@127.0.0.1:{self.port}?from=interlude@clinic.example&to={to}"

    def text(self, nth: int = -1) -> str:
        """The subject and every part of a message, as a reader sees it."""
        mail = self.got[nth]
        parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        return "\n".join([str(mail["Subject"]), *parts])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
