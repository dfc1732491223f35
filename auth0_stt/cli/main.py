"""Starts the commands, and ends them without a traceback."""

import argparse
import errno
import os
import signal
import sys
from typing import Any, List, Optional

from .. import __version__
from . import demo, doctor, mint, tenant
from .ends import USAGE, CommandError, report

#: Modules with a function add_parser(commands), which adds a parser that sets ``run``.
#: What only one command needs is imported when it runs.
_COMMANDS = (mint, doctor, tenant, demo)

_CLOSED_PIPE = 128 + 13  # as a shell reports a process that SIGPIPE ended

_DESCRIPTION = """\
Auth0 Session Delegation from the command line: mint the session transfer token that
opens a customer's account for a support agent, find out why it does not work on a
tenant, or watch the whole flow on this machine.
"""

_EXAMPLE = """\
Each command describes itself: auth0-stt mint --help

example, with AUTH0_DOMAIN and the other settings in the environment:
  auth0-stt mint --reason "ticket 4711" --forwarded-for 198.51.100.7 \\
      --target-login-url https://shop.example.com/login
"""


class _Parser(argparse.ArgumentParser):
    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            # Only the names: a value may be a secret in the wrong place.
            names = [word.partition("=")[0] for word in unknown if word.startswith("-")]
            self.error("unrecognized arguments: " + (" ".join(names) or "(not shown)"))
        return known


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line and return its exit code."""
    if sys.stderr is None:  # print and argparse would use standard output instead
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        return report(CommandError("standard output must be open"))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # a job in the background ignores SIGINT
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as interrupt:
        number = interrupt.args[0] if interrupt.args else signal.SIGINT
        return 128 + int(number)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        if error.errno == errno.ENOSPC:
            report(CommandError("there is no space left for standard output"))
        # Python would flush again at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE


def _interrupt(number: int, frame: object) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)  # the second one ends the process at once
    raise KeyboardInterrupt(number)


def _run(arguments: Optional[List[str]]) -> int:
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except CommandError as error:
        return report(error, getattr(options, "json", False))
    except ImportError as error:  # an extra is missing: the message names it
        return report(CommandError(str(error), "not_installed", exit_code=USAGE))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="auth0-stt",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version="auth0-stt " + __version__
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, dest="command"
    )
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
