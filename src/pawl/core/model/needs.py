"""What a job knows of the jobs before it: the `needs` context's facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.model.status import Conclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedResult:
    """How a job, all its combinations together, ended.

    Attributes:
        result: after `continue-on-error` of the job, as `needs.<id>.result` shows it.
        outputs: the job's outputs by name.
        untrusted: names of the outputs whose values were computed from what an outsider gave (M8).
    """

    result: Conclusion
    outputs: Mapping[str, str] = field(default_factory=dict)
    untrusted: frozenset[str] = frozenset()
