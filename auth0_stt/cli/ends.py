"""How a command ends: its exit code, and what it says about a failure."""

import json
import sys
from typing import Optional

from attr import define

from ..errors import (
    Code,
    InvalidArgumentError,
    SessionTransferError,
    TransportError,
)

DONE, USAGE, REFUSED, RETRY, UNREACHABLE = 0, 2, 3, 4, 5

#: The codes of a call that sent nothing.
_FOUND_HERE = (
    Code.ACTOR_UNAVAILABLE,
    Code.MISSING_ACTOR_TOKEN_TYPE,
    Code.INVALID_TOKEN_FORMAT,
)

#: For the help of a command that speaks to a tenant.
EXIT_CODES = """\
exit codes:
  0    done
  2    usage, or a bad argument: nothing was sent
  3    refused by the tenant, or its answer can't be used
  4    worth a retry, after the seconds in the message if there are any
  5    unreachable: a TLS failure, an unknown name, a proxy that refuses
  130  interrupted (143 by SIGTERM); 141 if standard output is closed or full
"""


@define(slots=False)
class CommandError(Exception):
    """Ends a command: ``main`` reports it and returns its exit code.

    The texts are for people and use the command line's names; none holds a secret.
    """

    message: str
    code: str = "invalid_argument"
    hint: Optional[str] = None
    retryable: bool = False
    #: Seconds.
    retry_after: Optional[float] = None
    exit_code: int = USAGE


def ending(error: SessionTransferError) -> CommandError:
    """Return the end that an error of the library means for a command."""
    if error.retryable:
        exit_code = RETRY
    elif isinstance(error, TransportError):
        exit_code = UNREACHABLE
    elif found_here(error):
        exit_code = USAGE
    else:
        exit_code = REFUSED
    return CommandError(
        error.message,
        str(error.code),
        error.hint,
        error.retryable,
        error.retry_after,
        exit_code,
    )


def found_here(error: SessionTransferError) -> bool:
    """Return whether nothing was sent, because an argument is invalid."""
    return isinstance(error, InvalidArgumentError) or error.code in _FOUND_HERE


def report(error: CommandError, as_json: bool = False) -> int:
    """Show a failure and return its exit code.

    People read it on standard error. A program that asked for JSON finds it where it
    would find the result: one object on standard output.
    """
    if as_json:
        names = ("code", "message", "hint", "retryable", "retry_after")
        print(json.dumps({name: getattr(error, name) for name in names}))
        return error.exit_code
    print(f"auth0-stt: {error.code}: {error.message}", file=sys.stderr)
    if error.hint is not None:
        print("  " + error.hint, file=sys.stderr)
    if error.retryable and error.retry_after is not None:
        print(f"  retry after {error.retry_after:.0f} seconds", file=sys.stderr)
    return error.exit_code
