"""From what a forge tells to runs: the journal of deliveries, the poll, and schedules.

desk.py rules.py   what the parts share: ports, and the numbers to go by
projects.py        the repositories that a server works for
journal.py         accepting deliveries, working on them, replaying them
working.py         one delivery: its events, workflow files, and runs
reading.py         what a delivery says, whether a forge, the poll or a schedule made it
matching.py        one event at one commit: which workflow files it starts
polling.py         what a lost webhook missed
scheduling.py      cron lines of default branches
tidying.py         what is kept how long
"""

from pawl.engine.intake.desk import IntakeDesk
from pawl.engine.intake.journal import Accepted, Journal, Worked
from pawl.engine.intake.polling import Poll
from pawl.engine.intake.projects import ProjectChange, Projects
from pawl.engine.intake.rules import IntakeRules
from pawl.engine.intake.scheduling import Schedules
from pawl.engine.intake.tidying import tidy
from pawl.engine.intake.working import OF_DELIVERIES

__all__ = [
    "OF_DELIVERIES",
    "Accepted",
    "IntakeDesk",
    "IntakeRules",
    "Journal",
    "Poll",
    "ProjectChange",
    "Projects",
    "Schedules",
    "Worked",
    "tidy",
]
