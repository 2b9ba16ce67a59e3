"""Telling others of runs: statuses at commits, webhooks and mail.

rules.py desk.py     what the parts share: the numbers to go by, and ports
reporter.py          writes what is to be told, in the transaction of the change
lines.py streaks.py bodies.py mails.py   what is said, pure
crew.py              sending what is due, so that a slow receiver holds up no other
statuses.py          commit statuses to forges
destinations.py notices.py   where notices go, and sending them
tidying.py           what is kept how long
"""

from pawl.engine.reporting.desk import ReportingDesk
from pawl.engine.reporting.destinations import Destinations, NewDestination
from pawl.engine.reporting.notices import Notices
from pawl.engine.reporting.reporter import NOTICES, STATUSES, Reporter
from pawl.engine.reporting.rules import ReportingRules
from pawl.engine.reporting.statuses import Statuses
from pawl.engine.reporting.tidying import tidy

__all__ = [
    "NOTICES",
    "STATUSES",
    "Destinations",
    "NewDestination",
    "Notices",
    "Reporter",
    "ReportingDesk",
    "ReportingRules",
    "Statuses",
    "tidy",
]
