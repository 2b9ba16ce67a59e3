"""Certificates of an authority of one's own, and a proxy that speaks TLS for a server that does not."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_BLOCK = 64 * 1024
_VALID = (dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2120, 1, 1, tzinfo=dt.UTC))


@dataclass(frozen=True)
class Authority:
    """An authority that has certified a server at 127.0.0.1.

    Attributes:
        ca_file: the authority's certificate, what clients are to trust.
        chain: the server's certificate and its key, in one file.
    """

    ca_file: Path
    chain: Path


def make_authority(folder: Path, name: str) -> Authority:
    """Write the certificates of a new authority and of its server below `folder`."""
    key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _named(f"authority {name}")
    authority = (
        _certificate(issuer, issuer, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    trusts = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    server = (
        _certificate(_named("server"), issuer, server_key.public_key())
        .add_extension(here, critical=False)
        .add_extension(trusts, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made = Authority(folder / f"{name}.pem", folder / f"{name}-server.pem")
    made.ca_file.write_bytes(authority.public_bytes(pem))
    made.chain.write_bytes(server.public_bytes(pem) + private)
    return made


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID[0])
        .not_valid_after(_VALID[1])
    )


@contextmanager
def tls_proxy_to(target: int, authority: Authority) -> Iterator[int]:
    """Yield the port of a proxy, certified by `authority`, to a server on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain)
    ports: list[int] = []
    ready, ended = threading.Event(), threading.Event()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(_pump(reader, back), _pump(there, writer))

    async def serve() -> None:
        server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await asyncio.to_thread(ended.wait)
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield ports[0]
    finally:
        ended.set()
        thread.join(timeout=60)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(_BLOCK):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass  # whoever is at the other end sees the end of this one
    finally:
        sink.close()
