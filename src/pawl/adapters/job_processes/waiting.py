"""A process that waits for a job with everything imported: Python takes longer to start than a step."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE = 5.0


class WaitingProcess:
    """Started ahead of its job, used once. It knows nothing, and ends when the worker does."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it.

        Raises:
            OSError: no process can be started.
        """
        self._channel, theirs = socket.socketpair()
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

    def hand_over(self, folder: Path, descriptors: tuple[int, int, int]) -> subprocess.Popen[bytes] | None:
        """Give it a job and return its process; None when it had ended.

        Args:
            folder: the attempt's.
            descriptors: the folder's lock, and where it prints to.
        """
        if not self.usable:
            self._channel.close()
            return None
        try:
            socket.send_fds(self._channel, [os.fsencode(folder)], list(descriptors))
        except OSError:
            self.dismiss()
            return None
        self._channel.close()
        return self._child

    def dismiss(self) -> None:
        """End it: it sees its worker gone."""
        self._channel.close()
        try:
            self._child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
