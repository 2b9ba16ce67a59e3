"""Who did it: pushes say so with members of their own, all else with `user`."""

from __future__ import annotations

from pawl.core.forges.members import Members
from pawl.core.forges.payloads import Person


def sender_of(body: Members) -> Person:
    """Return who did it."""
    if "user_username" in body:
        return Person(
            login=body.text("user_username"),
            name=body.text("user_name", ""),
            email=body.text("user_email", ""),
            id=body.number("user_id") if "user_id" in body else None,
        )
    return person(body.maybe("user"))


def person(told: Members) -> Person:
    """Return an account as GitLab writes it."""
    return Person(
        login=told.text("username", ""),
        name=told.text("name", ""),
        email=told.text("email", ""),
        id=told.number("id") if "id" in told else None,
    )
