"""Run the server: `tbc-serve` or `python -m serving`."""

import sys

import uvicorn
from pydantic import ValidationError

from serving.app import create_app
from serving.logs import log_to_stderr
from serving.settings import ServerSettings


def main() -> None:
    """Read the settings once and serve until SIGTERM."""
    try:
        settings = ServerSettings()
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc']))} {e['msg']}".strip() for e in error.errors()
        )
        sys.exit(f"wrong setting: {faults}")
    log_to_stderr()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        timeout_graceful_shutdown=settings.drain_timeout_s,
        server_header=False,
        log_config=None,
    )


if __name__ == "__main__":
    main()
