from pawl.core.planning.api import Event as Event
from pawl.core.planning.api import Parsed as Parsed
from pawl.core.planning.api import Planned as Planned
from pawl.core.planning.api import evaluate as evaluate
from pawl.core.planning.api import parse_workflow as parse_workflow
from pawl.core.planning.api import plan as plan
