"""Tokens: made once, shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from pawl.core.model.errors import Denied, NotFound, UsageError
from pawl.core.model.records import TokenRecord
from pawl.engine.control.audit import note
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.ports.store import Transaction

SCOPES = ("admin", "user", "read", "worker")

_SECRET = re.compile(r"pawl_[0-9a-f]{64}")
_ANOTHER = "ask an administrator of this server for a new one (`pawl token create`)"
_BYTES = 32
_LONGEST_NAME = 100
_SHORTEST_BEGINNING = 8
_USED_EVERY = 60.0
_THE_SERVER = "the server"


def digest_of(secret: str) -> str:
    """Return the digest by which a token is kept; looked up whole, so no time tells how near one was."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Tokens:
    """The tokens of a server."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create(
        self, name: str, scope: str, *, by: TokenRecord | None, expires_at: float | None = None
    ) -> str:
        """Make a token and return it: the only time that it can be seen.

        Args:
            name: what people call it.
            scope: one of `SCOPES`.
            by: the token of who asks; None for the server itself.
            expires_at: when it stops being good.

        Raises:
            Denied: `by` is no `admin`.
            UsageError: there is no such scope, or the name is empty or too long.
        """
        _check_admin(by)
        if scope not in SCOPES:
            raise UsageError(f"there is no scope `{scope}`", hint=f"the scopes are {', '.join(SCOPES)}")
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise UsageError(f"a token's name has 1 to {_LONGEST_NAME} printable characters")
        secret = self._secret()

        def work(tx: Transaction, moment: Moment) -> None:
            _store(tx, moment, secret, name, scope, by=by, expires_at=expires_at)

        await self._desk.write(work)
        return secret

    async def first(self) -> str | None:
        """Make the first token, an `admin`'s, and return it; None where there are tokens already."""
        secret = self._secret()

        def work(tx: Transaction, moment: Moment) -> bool:
            if tx.tokens.all():
                return False
            _store(tx, moment, secret, "first", "admin", by=None, expires_at=None)
            return True

        return secret if await self._desk.write(work) else None

    async def check(self, secret: str) -> TokenRecord:
        """Return the token's record.

        Raises:
            Denied: it is not known, revoked or expired.
        """
        if _SECRET.fullmatch(secret) is None:
            raise _unknown()
        digest, now = digest_of(secret), self._desk.clock.now()
        record = await self._desk.read(lambda tx: tx.tokens.get(digest))
        if record is None:
            raise _unknown()
        if record.revoked:
            raise Denied("the token was revoked", hint=_ANOTHER)
        if record.expires_at is not None and record.expires_at <= now:
            raise Denied("the token has expired", hint=_ANOTHER)
        if record.last_used is None or record.last_used <= now - _USED_EVERY:
            record = await self._desk.write(lambda tx, moment: _use(tx, moment, digest)) or record
        return record

    async def revoke(self, digest: str, *, by: TokenRecord | None) -> None:
        """Make a token good for nothing; again is no error.

        Args:
            digest: of the token, or a beginning of it that only one has; or its name.
            by: as in `create`.

        Raises:
            Denied: `by` is no `admin`.
            NotFound: there is none, or several.
        """
        _check_admin(by)

        def work(tx: Transaction, moment: Moment) -> None:
            record = _find(tx, digest)
            record = _locked(tx, record.digest) or record
            tx.tokens.put(replace(record, revoked=True))
            note(tx, moment, by=_who(by), action="token.revoke", target=record.name)

        await self._desk.write(work)

    async def all(self) -> tuple[TokenRecord, ...]:
        """Return all tokens, oldest first."""
        return await self._desk.read(lambda tx: tx.tokens.all())

    def _secret(self) -> str:
        return f"pawl_{self._desk.randomness.token(_BYTES)}"


def _unknown() -> Denied:
    return Denied("the token is not known", hint=_ANOTHER)


def _check_admin(by: TokenRecord | None) -> None:
    if by is not None and by.scope != "admin":
        raise Denied(
            f"a token of scope `{by.scope}` may not do this", hint="use one of scope `admin`", known=True
        )


def _who(by: TokenRecord | None) -> str:
    return by.name if by is not None else _THE_SERVER


def _store(
    tx: Transaction,
    moment: Moment,
    secret: str,
    name: str,
    scope: str,
    *,
    by: TokenRecord | None,
    expires_at: float | None,
) -> None:
    record = TokenRecord(
        digest=digest_of(secret), name=name, scope=scope, created_at=moment.now, expires_at=expires_at
    )
    tx.tokens.put(record)
    note(tx, moment, by=_who(by), action="token.create", target=f"{name}, scope {scope}")


def _use(tx: Transaction, moment: Moment, digest: str) -> TokenRecord | None:
    record = _locked(tx, digest)
    if record is not None:
        record = replace(record, last_used=moment.now)
        tx.tokens.put(record)
    return record


def _locked(tx: Transaction, digest: str) -> TokenRecord | None:
    """Return a token, kept from others till the end: or its use would undo that it was revoked."""
    tx.keys.get(f"token:{digest}")
    return tx.tokens.get(digest)


def _find(tx: Transaction, wanted: str) -> TokenRecord:
    tokens = tx.tokens.all()
    by_digest = len(wanted) >= _SHORTEST_BEGINNING
    found = [each for each in tokens if by_digest and each.digest.startswith(wanted)]
    found = found or [each for each in tokens if each.name == wanted and not each.revoked]
    if len(found) != 1:
        several = "several tokens are" if found else "no token is"
        raise NotFound(f"{several} called `{wanted}`", hint="name it by its digest; `pawl token list`")
    return found[0]
