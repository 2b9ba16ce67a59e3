"""A process that has everything imported and forks for each job: Python takes longer to start than a step."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE = 5.0


class WaitingProcess:
    """Started ahead of its jobs. It knows no secrets, runs nothing itself, and ends when the worker does."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it.

        Raises:
            OSError: no process can be started.
        """
        # Packets, so that two jobs handed over at once stay two, and the other side sees this one's end.
        self._channel, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self._channel.settimeout(_PATIENCE)
        try:
            self._child = subprocess.Popen(
                [*command, "--wait", str(theirs.fileno())],
                env=dict(environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
            )
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()

    @property
    def usable(self) -> bool:
        """Return whether it still waits."""
        return self._child.poll() is None

    def hand_over(self, folder: Path, descriptors: tuple[int, int, int, int]) -> bool:
        """Give it a job and return whether it has it.

        Args:
            folder: the attempt's.
            descriptors: the folder's lock, what it reads what it is handed from, and where it prints to.
        """
        if not self.usable:
            return False
        try:
            socket.send_fds(self._channel, [os.fsencode(folder)], list(descriptors))
        except OSError:
            return False
        return True

    def dismiss(self) -> None:
        """End it: it sees its worker gone. Jobs that it forked go on."""
        self._channel.close()
        try:
            self._child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def can_wait() -> bool:
    """Return whether this system has what handing over needs."""
    return sys.platform == "linux"
