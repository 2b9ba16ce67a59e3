"""The exceptions of Pawl.

    PawlError
    ├─ UsageError            wrong use or configuration: the caller can mend it (exit code 2)
    │  ├─ NotFound           there is no such run, job, worker, artifact
    │  ├─ Denied             the caller may not do that, or is not known
    │  ├─ TooLarge           a limit on size or number was passed
    │  └─ Conflict           it cannot be done in the state things are in
    │     ├─ StaleLease      somebody else has the lease by now, or nobody
    │     └─ OffsetConflict  bytes do not go on where the stored ones end
    ├─ InfrastructureError   the world outside failed: engine, registry, disk, network (exit code 3)
    │  └─ TransientError     the same, but trying again may help
    │     └─ Unavailable     a server or store that cannot answer now, and when to ask again
    └─ InternalError         a fault of our own (exit code 3)

A step that fails is no exception: it is a `Conclusion`. A fault in a workflow file is no exception
either: it is a `Diagnostic`.
"""

from __future__ import annotations


class PawlError(Exception):
    """Something Pawl was asked to do could not be done."""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        """Take what happened and, where it is known, what to do about it.

        Args:
            message: one sentence without a full stop; the class's docstring when left out.
            hint: how to mend it, in the imperative.
        """
        self.message = message or (type(self).__doc__ or "").split("\n", 1)[0].rstrip(".")
        self.hint = hint
        super().__init__(self.message)


class UsageError(PawlError):
    """The command, its options or its configuration are wrong."""


class NotFound(UsageError):  # noqa: N818 - the field's word for it (HTTP 404)
    """There is no such thing, or the caller may not know of it."""


class Denied(UsageError):  # noqa: N818 - as above (HTTP 401 and 403)
    """The caller is not known, or may not do this."""

    def __init__(self, message: str | None = None, *, hint: str | None = None, known: bool = False) -> None:
        """Take what was refused.

        Args:
            message: as in `PawlError`.
            hint: as in `PawlError`.
            known: whether the caller's token was good, but not good enough.
        """
        self.known = known
        super().__init__(message, hint=hint)


class TooLarge(UsageError):  # noqa: N818 - as above (HTTP 413)
    """A limit on size or number was passed."""


class UnsupportedBody(UsageError):  # noqa: N818 - as above (HTTP 415)
    """The body comes in a form that is not read: compressed, for instance."""


class Conflict(UsageError):  # noqa: N818 - as above (HTTP 409)
    """This cannot be done in the state that things are in."""


class StaleLease(Conflict):
    """The lease is another's by now, or the attempt has ended."""


class OffsetConflict(Conflict):
    """The bytes do not go on where the stored ones end, or differ from them."""

    def __init__(self, message: str | None = None, *, hint: str | None = None, size: int = 0) -> None:
        """Take what is wrong and how many bytes are stored."""
        self.size = size
        super().__init__(message, hint=hint)


class InfrastructureError(PawlError):
    """Something Pawl depends on failed."""


class TransientError(InfrastructureError):
    """Something Pawl depends on failed, and trying again may help."""


class Unavailable(TransientError):  # noqa: N818 - the field's word for it (HTTP 503)
    """A server or store cannot answer now."""

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        retry_after: float = 1.0,
        full: bool = False,
    ) -> None:
        """Take what happened.

        Args:
            message: as in `PawlError`.
            hint: as in `PawlError`.
            retry_after: seconds after which asking again makes sense.
            full: whether a disk is full (HTTP 507).
        """
        self.retry_after = retry_after
        self.full = full
        super().__init__(message, hint=hint)


class InternalError(PawlError):
    """Pawl itself went wrong."""
