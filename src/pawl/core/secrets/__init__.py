"""Secrets: how they may be called, which of them a job names, and whose job may have any."""
