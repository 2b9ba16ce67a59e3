"""The exceptions of Pawl.

    PawlError
    ├─ UsageError            wrong use or configuration: the caller can mend it (exit code 2)
    ├─ InfrastructureError   the world outside failed: engine, registry, disk, network (exit code 3)
    │  └─ TransientError     the same, but trying again may help
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


class InfrastructureError(PawlError):
    """Something Pawl depends on failed."""


class TransientError(InfrastructureError):
    """Something Pawl depends on failed, and trying again may help."""


class InternalError(PawlError):
    """Pawl itself went wrong."""
