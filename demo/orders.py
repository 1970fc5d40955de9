"""What people decide about requests that are under way: a second person releases or rejects, anybody cancels."""

import subprocess
from collections.abc import Mapping

from demo.databases import RESYNC
from demo.planted import Request, Wave
from demo.strict import SETTINGS

TIMEOUT_S = 120
# The token is public: demo/policy.yaml says whose it is.
SECOND_PERSON = {"RESYNC_POLICY": SETTINGS["RESYNC_POLICY"], "RESYNC_TOKEN": "demo-token-of-the-state-admin"}
COMMANDS = {
    Wave.RELEASED: ("release",),
    Wave.NOT_RELEASED: ("release", "--reject"),
    Wave.CANCELLED: ("cancel",),
}


def order(environment: Mapping[str, str], request: Request) -> str | None:
    """Waits until it is carried out; what is wrong if it is not."""
    command = [*COMMANDS[request.ask.wave], request.request_id, "--yes", "--timeout", str(TIMEOUT_S)]
    done = subprocess.run(
        [RESYNC, *command], env=dict(environment) | SECOND_PERSON, capture_output=True, text=True, check=False
    )
    return (
        None if done.returncode == 0 else f"resync {' '.join(command)} exited {done.returncode}: {done.stderr.strip()}"
    )
