"""Reading the members of what a forge sends: typed, bounded, and with the place in every message."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from pawl.core.model.errors import UnsupportedBody, UsageError
from pawl.core.model.forge import Received
from pawl.core.model.json_body import parse_json
from pawl.core.model.plan import Json
from pawl.core.model.refs import full_ref_fault, is_commit, is_no_commit, ref_fault, repository_fault

_FORM = "application/x-www-form-urlencoded"
_LONGEST = 1_000_000


class Members:
    """An object of a body. Reading a member that is not what it must be raises `UsageError`, naming it."""

    def __init__(self, value: Mapping[str, Json], path: str = "") -> None:
        """Take the object and where it stands in the body."""
        self.value = value
        self._path = path

    def __contains__(self, name: str) -> bool:
        """Return whether the member is there and not null."""
        return self.value.get(name) is not None

    def place(self, name: str) -> str:
        """Return the member's path, for messages."""
        return f"{self._path}.{name}" if self._path else name

    def wrong(self, name: str, fault: str) -> UsageError:
        """Return the error that says what is wrong with a member."""
        return UsageError(f"`{self.place(name)}` of the body {fault}")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self.value.get(name)
        if value is None:
            if default is None:
                raise self.wrong(name, "is missing")
            return default
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise self.wrong(name, f"is no text of at most {_LONGEST} characters")
        return value

    def number(self, name: str) -> int:
        """Return a number from 1 on."""
        value = self.value.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**15:
            raise self.wrong(name, "is no number from 1 on")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false; false when it is not there."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "is neither true nor false")
        return bool(value)

    def object(self, name: str) -> Members:
        """Return an object that must be there."""
        if name not in self:
            raise self.wrong(name, "is missing")
        return self.maybe(name)

    def maybe(self, name: str) -> Members:
        """Return an object, an empty one when it is not there."""
        value = self.value.get(name)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.wrong(name, "is no object")
        return Members(value, self.place(name))

    def objects(self, name: str) -> Iterator[Members]:
        """Yield the objects of a list, none when it is not there."""
        value = self.value.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            raise self.wrong(name, "is no list")
        for index, each in enumerate(value):
            if not isinstance(each, dict):
                raise self.wrong(f"{name}[{index}]", "is no object")
            yield Members(each, f"{self.place(name)}[{index}]")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, an empty one when it is not there."""
        value = self.value.get(name)
        if value is None:
            return ()
        found = tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
        if not isinstance(value, list) or len(found) != len(value):
            raise self.wrong(name, "is no list of texts")
        return found

    def repository(self, name: str) -> str:
        """Return an `owner/name`."""
        return self._checked(name, repository_fault(self.text(name)))

    def branch(self, name: str, default: str | None = None) -> str:
        """Return the short name of a branch or tag; a default is not checked."""
        value = self.text(name, default)
        return value if value == default else self._checked(name, ref_fault(value))

    def full_ref(self, name: str) -> str:
        """Return a full ref: `refs/heads/main`."""
        return self._checked(name, full_ref_fault(self.text(name)))

    def commit(self, name: str, default: str | None = None) -> str:
        """Return the full id of a commit."""
        value = self.text(name, default)
        return value if value == default or is_commit(value) else self._no_commit(name)

    def commit_or_zeros(self, name: str) -> str:
        """Return the full id of a commit, or the zeros that stand for none."""
        value = self.text(name)
        return value if is_commit(value) or is_no_commit(value) else self._no_commit(name)

    def _no_commit(self, name: str) -> str:
        raise self.wrong(name, "is no full id of a commit")

    def _checked(self, name: str, fault: str) -> str:
        if fault:
            raise self.wrong(name, fault)
        return self.text(name)


def read_members(received: Received, *, forms: bool = False) -> Members:
    """Return the object in the body of a webhook.

    Args:
        received: the request.
        forms: whether the forge may also send a form with the JSON in its field `payload`.

    Raises:
        UnsupportedBody: it is neither JSON nor such a form, says its content type.
        UsageError: it is no JSON object; see `parse_json`.
    """
    kind = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM and forms:
        body = _payload_of_form(received.body)
    elif kind == "application/json":
        body = received.body
    else:
        raise UnsupportedBody(
            f"the body's content type is `{kind[:60]}`", hint="let the forge send application/json"
        )
    told = parse_json(body)
    if not isinstance(told, dict):
        raise UsageError("the body is no JSON object")
    return Members(told)


def _payload_of_form(body: bytes) -> bytes:
    try:
        fields = parse_qsl(body.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=8)
    except ValueError:
        raise UsageError("the body is no form") from None
    payloads = [value for name, value in fields if name == "payload"]
    if len(payloads) != 1:
        raise UsageError(f"the form has the field `payload` {len(payloads)} times; once is right")
    return payloads[0].encode()


def delivery_of(received: Received, *names: str) -> str:
    """Return the id of the delivery from the first of these headers, else a digest of the body.

    Raises:
        UsageError: the id is not one to three words of letters and digits.
    """
    told = next((received.headers[name] for name in names if received.headers.get(name)), "")
    if not told:
        return f"sha256-{hashlib.sha256(received.body).hexdigest()}"
    if len(told) > 200 or not told.isascii() or not told.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"the delivery's id {told[:40]!r} is not made of letters, digits, `-` and `_`")
    return told
