"""What is wrong with a text, where, and how to mend it: values that anyone may draw."""

from pawl.core.diagnostics.diagnostic import Diagnostic, Severity, has_errors
from pawl.core.diagnostics.span import Position, Span

__all__ = ["Diagnostic", "Position", "Severity", "Span", "has_errors"]
