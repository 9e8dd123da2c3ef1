"""supervisord with our file, its programs started at once.

supervisord by itself sleeps a second before it starts the first one.
"""

import contextlib
import os

from supervisor import supervisord

from stashsense.data_folder import ROOT


class PromptSupervisor(supervisord.Supervisor):  # type: ignore[misc]
    """Starts its programs before it first waits for something to happen."""

    def runforever(self) -> None:
        """Run until a signal comes and all programs have ended."""
        for group in self.process_groups.values():
            group.transition()
        super().runforever()


def main() -> None:
    """Run the programs of supervisord.conf."""
    arguments = ["--configuration", str(ROOT / "supervisord.conf")]
    if os.geteuid() == 0:
        # Said on purpose, or supervisord warns that nobody did.
        arguments += ["--user", "0"]
    options = supervisord.ServerOptions()
    options.realize(arguments)
    options.first, options.test = True, False
    with contextlib.suppress(supervisord.asyncore.ExitNow):
        PromptSupervisor(options).main()


if __name__ == "__main__":
    main()
