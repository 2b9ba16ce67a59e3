"""Helpers that ship for tests: a clock to hold, builders, a reporter that records."""
