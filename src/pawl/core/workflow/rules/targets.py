"""x."""
from __future__ import annotations
def check(subject):
    return ()
