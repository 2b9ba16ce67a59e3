"""Mail by SMTP."""

from __future__ import annotations

from pawl.adapters.mail.account import Account, read_account
from pawl.adapters.mail.smtp import SmtpPostman

__all__ = ["Account", "SmtpPostman", "read_account"]
