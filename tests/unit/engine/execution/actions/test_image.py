from __future__ import annotations

import pytest

from pawl.core.expressions import Untrusted
from pawl.core.model.errors import UsageError
from pawl.engine.execution.actions.image import refuse_untrusted, split_arguments


def test_what_an_outsider_wrote_never_decides_what_a_container_runs() -> None:
    """With quotes of its own it could add words, and words are often commands (M8)."""
    with pytest.raises(UsageError, match="outsiders control") as raised:
        split_arguments(Untrusted("-c 'evil'"))
    assert "env:" in (raised.value.hint or "")

    refuse_untrusted("plain", "with.entrypoint")
    with pytest.raises(UsageError, match=r"with\.entrypoint"):
        refuse_untrusted(Untrusted("sh"), "with.entrypoint")
