"""Look for known vulnerabilities of the locked packages, where advisories can be had.

Exits with 1 when there is one, and with 0 when there is none or nobody can be asked.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# All that ship: of a checkout and the image for GPUs, and of the image without.
LOCKS = ("requirements.lock", "requirements-cpu.lock")
LIMIT_SECONDS = 300
# What pip-audit says when nobody answers, by its own errors and those of requests.
UNKNOWN = "could not be audited"
AWAY = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Max retries exceeded",
    "Name or service not known",
    "Temporary failure in name resolution",
    "ServiceError",
    "HTTPError",
    "ProxyError",
)


def main() -> int:
    """Audit every lock; return the exit status."""
    return max([audited(lock) for lock in LOCKS])


def audited(lock: str) -> int:
    """Ask each source of advisories in turn; return 0 where none knows or answers."""
    for service in ("pypi", "osv"):
        try:
            done = subprocess.run(
                [
                    *[sys.executable, "-m", "pip_audit", "--progress-spinner=off"],
                    *["--vulnerability-service", service, "--disable-pip"],
                    *["--requirement", str(ROOT / lock)],
                ],
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            say(f"{lock}: {service} did not answer within {LIMIT_SECONDS} s.")
            continue
        told = done.stdout + done.stderr
        unknown_count = told.count(UNKNOWN)
        if unknown_count and done.returncode == 0:
            # As a mirror answers that has packages and no advisories.
            say(f"{lock}: {service} does not know {unknown_count} of the packages.")
        elif done.returncode and any(word in told for word in AWAY):
            last = told.strip().splitlines()[-1]
            say(f"{lock}: {service} cannot be asked: {last}")
        else:
            say(f"{lock}: {told}")
            return done.returncode
    say(f"{lock}: skipped, for no source of advisories can be reached from here.")
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text.strip()}\n")


if __name__ == "__main__":
    sys.exit(main())
