"""A server reached by HTTP: over TCP, TLS, or a Unix socket."""

from __future__ import annotations

from pawl.adapters.server_http.link import HttpServerLink

__all__ = ["HttpServerLink"]
