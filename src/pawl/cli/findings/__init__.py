"""Drawing diagnostics: as text with a snippet, as JSON, as SARIF, as GitHub annotations."""
