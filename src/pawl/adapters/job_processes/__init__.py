"""One process of the operating system for each attempt, known by its folder.

process.json  its id, and when it started, by which its process group is found
lock          locked as long as the process lives: who holds it needs no name, so no id used again misleads
wake          a named pipe: the process writes a byte when there is something new for the worker
stop.json     what it was asked: the reason, and whether at once
out.txt, err.txt
              what the process itself printed; its jobs' output goes elsewhere

What it is handed besides comes by its standard input, from memory.
"""

from __future__ import annotations

from pawl.adapters.job_processes.handing import take_handed
from pawl.adapters.job_processes.host import JobProcesses
from pawl.adapters.job_processes.inside import InsideJob, StopRequest, wait_for_work

__all__ = ["InsideJob", "JobProcesses", "StopRequest", "take_handed", "wait_for_work"]
