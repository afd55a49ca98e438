# SPDX-License-Identifier: GPL-2.0-or-later
"""An SMTP server on loopback, with STARTTLS and AUTH, and faults that tests choose."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "ada", "a secret"


@dataclass
class Received:
    """A mail that the server accepted."""

    sender: str
    recipients: list[str]
    content: bytes


@dataclass
class Server:
    """What the server received, and the fault for the mail of each number (from 0).

    "451" and "550" are replies to the mail; "drop" closes the connection after the mail was sent,
    "take and drop" does so after accepting it; "no recipient" refuses one recipient; "hang" waits.
    """

    port: int = 0
    certificate: Path = Path()
    received: list[Received] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    attempts: int = 0
    logins: int = 0

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.faults.get(self.attempts) == "no recipient":
            del self.faults[self.attempts]
            return f"550 no such user {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        fault = self.faults.pop(self.attempts, "")
        self.attempts += 1
        if fault in ("451", "550"):
            return f"{fault} not now"
        if fault == "hang":
            await asyncio.sleep(3)
        if fault != "drop":
            content = envelope.content or b""
            assert isinstance(content, bytes)
            self.received.append(Received(str(envelope.mail_from), envelope.rcpt_tos, content))
        if "drop" in fault:
            server.transport.abort()
        return "250 OK"


@contextmanager
def serve(folder: Path, *, secure: bool = False) -> Iterator[Server]:
    """Run a server; a secure one requires STARTTLS and a login."""
    state = Server(port=_free_port())
    options: dict[str, Any] = {}
    if secure:
        state.certificate, key = _make_certificate(folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(state.certificate, key)

        def authenticate(*args: Any) -> AuthResult:
            credentials = args[-1]
            expected = (USER.encode(), PASSWORD.encode())
            success = (
                isinstance(credentials, LoginPassword)
                and (credentials.login, credentials.password) == expected
            )
            state.logins += success
            # Not handled: then aiosmtpd itself answers 535.
            return AuthResult(success=success, handled=success)

        options = {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": authenticate,
        }
    controller = Controller(state, hostname="127.0.0.1", port=state.port, **options)
    controller.start()
    try:
        yield state
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return the files of a self-signed certificate for 127.0.0.1, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
