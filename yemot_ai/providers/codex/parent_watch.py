"""Kill a process group when this process ends without doing so itself, as after SIGKILL.

A shell in a session of its own waits at a pipe whose other end only this process has open. However this
process ends, the kernel closes that end, and the shell kills the group. ``PR_SET_PDEATHSIG`` would kill the
leader only, also when just the thread ends that has started it, and only on Linux.
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import Final

__all__ = ["WATCH_LINE", "ParentWatch"]

WATCH_LINE: Final = 'read -r _; kill -s KILL -- "-$1"'
"""What the shell runs; the toolkit allows this program in isolated tests."""

_SHELL: Final = "/bin/sh"


class ParentWatch:
    """The shell that watches this process; without a shell on this machine it does nothing.

    Args:
        group: the process group to kill.
    """

    def __init__(self, group: int) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        # A turn that nothing watches is better than no turn.
        with contextlib.suppress(OSError):
            self._shell = subprocess.Popen(  # noqa: S603 - a constant
                [_SHELL, "-c", WATCH_LINE, "sh", str(group)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                start_new_session=True,
            )

    def stop(self) -> None:
        """End the watch, since the group has ended; nothing happens the second time."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.kill()
            shell.communicate()

    def detach(self) -> None:
        """Release the watch in a forked child of this process: it belongs to the parent."""
        shell, self._shell = self._shell, None
        if shell is not None and shell.stdin is not None:
            # Held open here, the pipe would keep the group alive after the parent's death.
            shell.stdin.close()
            shell.poll()  # it is no child of this process, which ends its object
