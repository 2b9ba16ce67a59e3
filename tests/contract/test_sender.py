"""What every `Sender` promises (ports/outgoing.py): where it calls, what it sends, and what it never does."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pawl.adapters.http_out import Allowed, HttpSender, SenderLimits
from pawl.core.model.errors import TransientError, UsageError
from pawl.ports.outgoing import Answered, Outgoing
from tests.forge_server import ForgeServer, Told, forge_server

SECRET = "s3cret-header"
Names = dict[str, list[str]]


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with forge_server() as made:
        yield made


def get(url: str, **more: Any) -> Outgoing:
    return Outgoing(method="GET", url=url, **more)


async def sent(sender: HttpSender, request: Outgoing) -> Answered:
    try:
        return await sender.send(request)
    finally:
        await sender.aclose()


def inside(*entries: str, **more: Any) -> HttpSender:
    return HttpSender(Allowed.of(entries or ["127.0.0.1"]), **more)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Give the loop's resolver names: what the world's servers of names could answer."""
    known: Names = {}

    async def getaddrinfo(_: Any, host: str, port: int, **more: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in known[host]
        ]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return known


async def test_a_request_is_sent_as_it_is_and_its_answer_given_back(server: ForgeServer) -> None:
    server.answers = lambda _: Told(418, {"a": 1}, {"X-More": "yes"})
    url = f"{server.url}/a%2Fb/..%2e/c?x=%20y&z"
    request = Outgoing(method="PATCH", url=url, headers={"X-Token": SECRET}, body=b"\0body")
    answer = await sent(inside(), request)
    assert (answer.status, answer.headers["x-more"], answer.body) == (418, "yes", b'{"a": 1}')
    asked = server.last
    assert (asked.method, asked.path, asked.body) == ("PATCH", "/a%2Fb/..%2e/c?x=%20y&z", b"\0body")
    assert asked.headers["x-token"] == SECRET
    assert asked.headers["host"] == server.url.removeprefix("http://")
    assert SECRET not in repr(request)
    assert "body" not in repr(request)


async def test_a_large_body_is_sent_whole(server: ForgeServer) -> None:
    body = b"0123456789abcdef" * (3 << 16)
    await sent(inside(), Outgoing(method="POST", url=server.url, headers={"Content-Type": "a/b"}, body=body))
    assert server.last.body == body
    assert server.last.headers["content-type"] == "a/b"
    assert server.last.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_like_others(server: ForgeServer, status: int) -> None:
    server.answers = lambda _: Told(status, {}, {"Location": "http://169.254.169.254/"})
    assert (await sent(inside(), get(server.url))).status == status
    assert len(server.asked) == 1


async def test_cookies_are_not_kept(server: ForgeServer) -> None:
    server.answers = lambda _: Told(200, {}, {"Set-Cookie": "a=b; Path=/"})
    sender = inside()
    await sender.send(get(server.url))
    await sent(sender, get(server.url))
    assert "cookie" not in server.last.headers


async def test_a_packed_answer_is_not_unpacked(server: ForgeServer) -> None:
    packed = gzip.compress(b"x" * 1_000_000)
    server.answers = lambda _: Told(200, packed, {"Content-Encoding": "gzip"})
    answer = await sent(inside(limits=SenderLimits(answer=2_000)), get(server.url))
    assert answer.body == packed
    assert server.last.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(("size", "fits"), [(1_000, True), (1_001, False)])
async def test_an_answer_has_a_limit(server: ForgeServer, size: int, fits: bool) -> None:
    server.answers = lambda _: Told(200, b"x" * size)
    sending = sent(inside(limits=SenderLimits(answer=1_000)), get(server.url))
    if fits:
        assert len((await sending).body) == size
    else:
        with pytest.raises(TransientError, match="more than 1000 bytes"):
            await sending


async def test_an_answer_that_does_not_come_is_given_up(server: ForgeServer) -> None:
    never = asyncio.Event()

    async def wait(_: Any) -> Told:
        await never.wait()
        return Told()

    server.answers = wait
    try:
        with pytest.raises(TransientError, match="did not answer in time"):
            await sent(inside(limits=SenderLimits(total=0.05)), get(server.url))
    finally:
        never.set()


async def test_what_is_not_http_is_a_fault_that_may_pass() -> None:
    async def garble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(garble, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        with pytest.raises(TransientError, match=r"127\.0\.0\.1 cannot be called"):
            await sent(inside(), get(f"http://127.0.0.1:{port}/?{SECRET}", headers={"X-Token": SECRET}))
    finally:
        listener.close()
        await listener.wait_closed()


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a9fe:a9fe]"),
        *("2130706433", "127.1", "0", "017700000001", "[fe80::1%25eth0]", "168.63.129.16"),
    ],
)
async def test_an_address_inside_is_not_called(server: ForgeServer, host: str) -> None:
    port = server.url.rpartition(":")[2]
    with pytest.raises(UsageError, match=r"may not be called|neither a name nor an address|not well-formed"):
        await sent(HttpSender(), get(f"https://{host}:{port}/"))
    assert server.asked == []


@pytest.mark.parametrize("host", ["0x7f.0.0.1", "0x7f000001", "localhost", "LOCALHOST."])
async def test_a_name_that_the_machine_takes_for_itself_is_not_called(server: ForgeServer, host: str) -> None:
    port = server.url.rpartition(":")[2]
    with pytest.raises((UsageError, TransientError), match=r"may not be called|has no address"):
        await sent(HttpSender(), get(f"https://{host}:{port}/"))
    assert server.asked == []


@pytest.mark.parametrize(
    "addresses", [["10.0.0.5"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["fd00:ec2::254"], ["100.64.0.1"]]
)
async def test_a_name_with_one_address_inside_is_not_called(names: Names, addresses: list[str]) -> None:
    names["forge.example"] = addresses
    with pytest.raises(UsageError, match=r"forge\.example \(.+\) may not be called: it is in") as caught:
        await sent(HttpSender(), get(f"https://forge.example/{SECRET}"))
    assert caught.value.hint
    assert SECRET not in str(caught.value)


async def test_a_name_is_asked_for_again_with_each_connection(server: ForgeServer, names: Names) -> None:
    """A name that first leads where it may, and then inside, is not called for having been checked once."""
    server.answers = lambda _: Told(200, {}, {"Connection": "close"})
    url = f"http://git.lan:{server.url.rpartition(':')[2]}/"
    sender = inside("127.0.0.1")
    names["git.lan"] = ["127.0.0.1"]
    assert (await sender.send(get(url))).status == 200
    names["git.lan"] = ["127.0.0.2"]
    with pytest.raises(UsageError):
        await sent(sender, get(url))


async def test_the_checked_address_is_called_with_the_hosts_name(server: ForgeServer, names: Names) -> None:
    names["git.lan"] = ["127.0.0.1"]
    port = server.url.rpartition(":")[2]
    await sent(inside("git.lan"), get(f"http://git.lan:{port}/"))
    assert server.last.headers["host"] == f"git.lan:{port}"
    await sent(inside("127.0.0.0/8"), get(f"http://git.lan:{port}/"))
    assert len(server.asked) == 2


async def test_without_tls_only_what_is_allowed_is_called(names: Names) -> None:
    names["forge.example"] = ["8.8.8.8"]
    for url in ("http://forge.example/", "http://8.8.8.8/"):
        with pytest.raises(UsageError, match="without TLS"):
            await sent(HttpSender(Allowed.of(["10.0.0.0/8"])), get(url))


async def test_a_name_without_an_address_is_a_fault_that_may_pass(names: Names) -> None:
    with pytest.raises(TransientError, match="its name has no address"):
        await sent(HttpSender(), get("https://nowhere.example/"))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "/x",
            "x",
            "https://",
            "https:///x",
            "ftp://a/",
            "file:///etc/passwd",
            "ext::sh -c id",
            "unix:/x",
        ),
        *(
            "https://a b/",
            "https://a\n/",
            "https://a/\r\nX: y",
            "https://é/",
            "https://a\\@b/",
            "gopher://a/",
        ),
        *("https://user:secret@a/", "https://user@a/", "https://a:99999/", "https://a:x/", "https://[::1/"),
        "https://a/" + "x" * 8_000,
    ],
)
async def test_a_url_that_is_none_to_call_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        await sent(HttpSender(), get(url))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "more", [{"headers": {"X-A": "a\r\nX-B: b"}}, {"headers": {"X A": "b"}}, {"method": "G T"}]
)
async def test_a_request_that_http_cannot_carry_is_refused(server: ForgeServer, more: dict[str, Any]) -> None:
    request = Outgoing(**{"method": "GET", "url": server.url, **more})
    with pytest.raises(UsageError):
        await sent(inside(), request)
    assert server.asked == []


async def test_proxies_of_the_environment_are_not_used(
    server: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await sent(inside(), get(server.url))).status == 200


async def test_a_proxy_that_was_asked_for_is_used(server: ForgeServer) -> None:
    await sent(inside("git.lan", proxy=server.url), get("http://git.lan/x"))
    assert server.last.path == "http://git.lan/x"
    with pytest.raises(UsageError, match="without TLS"):
        await sent(inside("git.lan", proxy=server.url), get("http://other.lan/x"))
    with pytest.raises(UsageError, match="may not be called"):
        await sent(HttpSender(proxy=server.url), get("https://169.254.169.254/"))
    assert len(server.asked) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make one for `git.lan` that only those trust who are told to, with its key in the same file."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "git.lan")])
    start = datetime.fromtimestamp(time.time() - 3600, UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("git.lan")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return path


@pytest.fixture
async def secure(certificate: Path) -> AsyncIterator[tuple[str, Path]]:
    """Serve over TLS as `git.lan`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f":{runner.addresses[0][1]}/", certificate
    await runner.cleanup()


async def test_a_certificate_must_be_trusted_and_of_the_host(secure: tuple[str, Path], names: Names) -> None:
    end, authority = secure
    names["git.lan"] = names["other.lan"] = ["127.0.0.1"]
    answer = await sent(inside(ca_file=authority), get(f"https://git.lan{end}"))
    assert answer.body == b"hello"
    with pytest.raises(TransientError, match=r"other\.lan cannot be called: its certificate is not trusted"):
        await sent(inside(ca_file=authority), get(f"https://other.lan{end}"))
    with pytest.raises(TransientError, match="its certificate is not trusted"):
        await sent(inside(), get(f"https://git.lan{end}"))


async def test_certificates_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        await sent(HttpSender(ca_file=tmp_path / "none.pem"), get("https://forge.example/"))
    assert caught.value.hint
