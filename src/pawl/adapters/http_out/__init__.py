"""Requests that leave a server, to where they may go."""

from __future__ import annotations

from pawl.adapters.http_out.addresses import Allowed, address_fault
from pawl.adapters.http_out.sender import HttpSender, SenderLimits

__all__ = ["Allowed", "HttpSender", "SenderLimits", "address_fault"]
