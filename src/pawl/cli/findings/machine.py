"""Diagnostics for programs: Pawl's own JSON, SARIF 2.1.0, and GitHub's workflow commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pawl.cli.findings.checked import CheckedFile, count_severity
from pawl.cli.version import VERSION
from pawl.core.diagnostics import Diagnostic, Severity, Span


def to_json(files: Sequence[CheckedFile]) -> dict[str, Any]:
    """Return `{version, diagnostics, summary}`; fields are only ever added."""
    return {
        "version": 1,
        "diagnostics": [_plain(checked.path, one) for checked in files for one in checked.diagnostics],
        "summary": {
            "files": len(files),
            "errors": count_severity(files, Severity.ERROR),
            "warnings": count_severity(files, Severity.WARNING),
        },
    }


def _plain(path: str, diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "path": path,
        **_place(diagnostic.span),
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "related": [{**_place(span), "message": why} for span, why in diagnostic.related],
    }


def _place(span: Span) -> dict[str, int]:
    return {
        "line": span.start.line,
        "column": span.start.column,
        "end_line": span.end.line,
        "end_column": span.end.column,
    }


def to_sarif(files: Sequence[CheckedFile], titles: Mapping[str, str]) -> dict[str, Any]:
    """Return a SARIF 2.1.0 log (OASIS standard). `titles` says what each code is about."""
    codes = sorted({one.code for checked in files for one in checked.diagnostics})
    driver = {
        "name": "pawl",
        "semanticVersion": VERSION,
        "rules": [
            {"id": code, "shortDescription": {"text": titles.get(code, code.replace("-", " "))}}
            for code in codes
        ],
    }
    results = [
        _result(checked.path, one, codes.index(one.code)) for checked in files for one in checked.diagnostics
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _result(path: str, diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity.value,
        "message": {"text": diagnostic.message + hint},
        "locations": [_location(path, diagnostic.span)],
        "relatedLocations": [
            {**_location(path, span), "id": number, "message": {"text": why}}
            for number, (span, why) in enumerate(diagnostic.related, start=1)
        ],
    }


def _location(path: str, span: Span) -> dict[str, Any]:
    region = {
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
    }
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(path.encode("utf-8", "surrogateescape"))},
            "region": region,
        }
    }


def to_github(files: Iterable[CheckedFile]) -> str:
    """Return one `::error file=...::message` line for each (GitHub docs, workflow commands)."""
    return "".join(
        f"::{one.severity} {_properties(checked.path, one)}::{_escape_message(_with_hint(one))}\n"
        for checked in files
        for one in checked.diagnostics
    )


def _with_hint(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.message} ({diagnostic.hint})" if diagnostic.hint else diagnostic.message


def _properties(path: str, diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    values: dict[str, object] = {"file": path, "line": span.start.line, "endLine": span.end.line}
    if span.start.line == span.end.line:
        # GitHub shows columns only where both lines are the same.
        values |= {"col": span.start.column, "endColumn": span.end.column}
    values["title"] = diagnostic.code
    return ",".join(f"{key}={_escape_property(str(value))}" for key, value in values.items())


def _escape_message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")
