"""Mail to a real mail server: TLS, login, what is refused, and texts of strangers."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.mail import Account, SmtpPostman, read_account
from pawl.core.model.errors import TransientError, UsageError
from pawl.ports.mail import Mail
from tests.faults.tls import Authority, make_authority
from tests.mail_server import PASSWORD, USER, MailServer, mail_server

MAIL = Mail(
    identity="run.completed.7.1.1",
    to=("ann@example.org", "bob@example.org"),
    subject="Failed: CI #7",
    text="Failed: CI #7\n\nRun: größer\n",
    html="<p>Failed: <b>größer</b></p>",
    time=1_700_000_000.0,
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path, "mail")


def context(authority: Authority) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(authority.chain)
    return made


def postman(server: MailServer, kind: str = "smtp+plain", **more: Any) -> SmtpPostman:
    account = Account(kind=kind, host="127.0.0.1", port=server.port, sender="pawl@ci.example", **more)
    return SmtpPostman(account)


async def test_a_mail_arrives_as_text_and_html() -> None:
    async with mail_server() as server:
        assert await postman(server).send(MAIL) == "taken"
        message = server.message()
    assert server.taken[0].rcpt_tos == ["ann@example.org", "bob@example.org"]
    assert server.taken[0].mail_from == "pawl@ci.example"
    assert message["Subject"] == "Failed: CI #7"
    assert message["Message-ID"] == "<run.completed.7.1.1@ci.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    assert text.get_content().splitlines() == ["Failed: CI #7", "", "Run: größer"]
    assert page.get_content().strip() == "<p>Failed: <b>größer</b></p>"


@pytest.mark.parametrize(
    "subject",
    [
        "main\r\nBcc: eve@example.org",
        "main\nSubject: other\n\nbody",
        "a\x00b\x1b[31m",
        "\u2028Bcc: x",
        "half \ud800",
        "größer «ä» 日本",
        "x" * 5000,
    ],
)
async def test_a_subject_of_strangers_is_one_header_and_nothing_else(subject: str) -> None:
    hostile = Mail(identity=MAIL.identity, to=MAIL.to, subject=subject, text=subject, html="", time=0.0)
    async with mail_server() as server:
        await postman(server).send(hostile)
        message = server.message()
    assert server.taken[0].rcpt_tos == list(MAIL.to)
    assert message["Bcc"] is None
    assert len(message.get_all("Subject", [])) == 1
    assert len(message["Subject"]) <= 300


@pytest.mark.parametrize(("kind", "at_once"), [("smtp", False), ("smtps", True)])
async def test_mail_goes_encrypted_and_logged_in(authority: Authority, kind: str, at_once: bool) -> None:
    async with mail_server(tls=context(authority), at_once=at_once) as server:
        account = {"user": USER, "password": PASSWORD, "ca_file": authority.ca_file}
        assert await postman(server, kind, **account).send(MAIL) == "taken"
        assert server.logins == [USER]
        assert len(server.taken) == 1
        with pytest.raises(UsageError, match="535"):
            await postman(server, kind, **{**account, "password": "another"}).send(MAIL)
        with pytest.raises(TransientError, match="certificate is not trusted"):
            await postman(server, kind, user=USER, password=PASSWORD).send(MAIL)
        assert len(server.taken) == 1


async def test_without_starttls_nothing_is_sent() -> None:
    async with mail_server() as server:
        with pytest.raises(UsageError, match="STARTTLS"):
            await postman(server, "smtp", user=USER, password=PASSWORD).send(MAIL)
        assert server.taken == []


async def test_what_the_server_says_decides_whether_it_is_tried_again() -> None:
    async with mail_server() as server:
        server.answer = "451 come later"
        with pytest.raises(TransientError, match="451: come later"):
            await postman(server).send(MAIL)
        server.answer = "554 no spam"
        with pytest.raises(UsageError, match="554: no spam"):
            await postman(server).send(MAIL)
        server.answer = "250 taken"
        server.receiver = lambda address: "550 nobody" if address.startswith("bob") else "250 well"
        assert await postman(server).send(MAIL) == "taken, but not for bob@example.org"
        server.receiver = lambda _: "550 nobody"
        with pytest.raises(UsageError, match="550: nobody"):
            await postman(server).send(MAIL)
    with pytest.raises(TransientError, match="cannot be reached"):
        await postman(server).send(MAIL)
    with pytest.raises(UsageError, match="sends no mail"):
        await SmtpPostman(None).send(MAIL)


def test_an_account_is_read_from_settings(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n", "utf-8")
    account = read_account("smtp://mail.example", "pawl@ci.example", "pawl", str(secret))
    assert (account.kind, account.host, account.port) == ("smtp", "mail.example", 587)
    assert (account.password, PASSWORD in repr(account)) == (PASSWORD, False)
    assert read_account("smtps://mail.example:1465", "pawl@ci.example").port == 1465
    for url, sender, user, file in (
        ("https://mail.example", "pawl@ci.example", "", ""),
        ("smtp://user:secret@mail.example", "pawl@ci.example", "", ""),
        ("smtp://mail.example:x", "pawl@ci.example", "", ""),
        ("smtp://mail.example", "nobody", "", ""),
        ("smtp://mail.example", "a@b\nBcc: c@d", "", ""),
        ("smtp+plain://mail.example", "pawl@ci.example", "pawl", str(secret)),
        ("smtp://mail.example", "pawl@ci.example", "", str(secret)),
        ("smtp://mail.example", "pawl@ci.example", "pawl", str(tmp_path / "none")),
    ):
        with pytest.raises(UsageError):
            read_account(url, sender, user, file)
