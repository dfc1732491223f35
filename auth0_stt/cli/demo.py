"""``auth0-stt demo``: the whole flow on this machine."""

import argparse
import sys
from typing import Any

from .ends import DONE, CommandError


def add_parser(commands: Any) -> None:
    """Add the command ``demo``."""
    parser = commands.add_parser(
        "demo",
        help="play the whole flow on this machine",
        description="Play the whole flow on this machine, from the agent's sign-in to "
        'the customer\'s session. Needs Python 3.10 and "auth0-stt[testing]".',
        allow_abbrev=False,
    )
    parser.set_defaults(run=_run)
    parser.add_argument(
        "--serve",
        action="store_true",
        help="open a playground for the browser instead; Ctrl-C closes it",
    )
    parser.add_argument(
        "--port",
        type=int,
        help="with --serve: the first of its three ports; any free ones by default",
    )


def _run(options: argparse.Namespace) -> int:
    if options.port is not None and not options.serve:
        raise CommandError("--port needs --serve")
    from ..testing.demo import run_demo
    from ..testing.playground import serve

    if not options.serve:
        return run_demo(sys.stdout)
    try:
        return serve(options.port or 0)
    except KeyboardInterrupt:  # before it waits, or while it closes
        return DONE
