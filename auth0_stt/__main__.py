"""The command line: ``python -m auth0_stt mint`` for cron and admin scripts, ``demo`` to see the flow.

Secrets and tokens come from the environment or from files, never from an argument, which ``ps`` shows to everyone.
Results go to standard output, everything else to standard error.
"""

import argparse
import errno
import json
import os
import sys
import webbrowser
from typing import Any, Dict, List, Optional

from attr import asdict

from . import (
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    SessionTransferError,
    SessionTransferTokenResult,
    TransportError,
    __version__,
    build_session_transfer_redirect,
    private_key_jwt,
    request_session_transfer_token,
)
from .errors import FOUND_HERE

_DONE, _USAGE, _REFUSED, _RETRY, _UNREACHABLE = 0, 2, 3, 4, 5

# As a shell reports a process that these signals ended: 128 + SIGINT, 128 + SIGPIPE.
_INTERRUPTED, _CLOSED_PIPE = 130, 141

_EXIT_CODES = """\
exit codes:
  0    done
  2    usage, or a bad argument: nothing was sent
  3    refused by the tenant, or an answer that can't be used
  4    worth a retry; the seconds to wait are on standard error, where known
  5    unreachable for good: a TLS failure, a name that does not exist, a proxy that refuses
  130  interrupted; 141 if standard output was closed or is full
"""

#: What may come from the environment, as AUTH0_ and the name in capitals, or from a file.
_SETTINGS = {
    "domain": "the tenant's host",
    "client_id": "the application's client ID",
    "client_secret": "its secret",
    "client_assertion": "or a signed assertion",
    "private_key": "or the private key, in PEM, to sign one with",
    "subject_token": "what proves the customer",
    "subject_token_type": "the URI of the exchange profile, such as urn:acme:customer",
    "actor_token": "what proves the agent: in practice an ID token",
    "actor_token_type": "its type; that of an ID token by default",
}

#: Paths are not secret: they come from the environment alone, like requests' own settings.
_CERTIFICATE, _CERTIFICATE_KEY = (
    "AUTH0_CLIENT_CERTIFICATE",
    "AUTH0_CLIENT_CERTIFICATE_KEY",
)


class _Parser(argparse.ArgumentParser):
    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            # Only the name: what follows may be a secret in the wrong place.
            names = [word.partition("=")[0] for word in unknown if word.startswith("-")]
            self.error(
                "unrecognized arguments: {}".format(" ".join(names) or "(not shown)")
            )
        return known


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line and return its exit code."""
    if sys.stderr is None:  # print and argparse would take standard output instead
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None or sys.stdin is None:
        return _complain("standard input and standard output must be open")
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        if error.errno == errno.ENOSPC:
            _complain("there is no space left for standard output")
        # Python would flush once more at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="auth0-stt",
        description=(__doc__ or "").partition("\n\n")[2],
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version="auth0-stt " + __version__
    )
    commands = parser.add_subparsers(
        title="commands", metavar="mint | demo", required=True, dest="command"
    )

    mint = commands.add_parser(
        "mint",
        help="mint a session transfer token",
        description="Mint a session transfer token, and print it as JSON or the URL that opens the target with it.",
        epilog=_settings_help() + "\n" + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    mint.set_defaults(run=_mint)
    for name in _SETTINGS:
        mint.add_argument(
            _option(name), dest=name, metavar="PATH", help=argparse.SUPPRESS
        )
    mint.add_argument(
        "--target-login-url",
        metavar="URL",
        help="print the URL that opens this application",
    )
    mint.add_argument(
        "--json",
        action="store_true",
        help="print JSON: the token, and the URL if there is one",
    )
    mint.add_argument(
        "--open", action="store_true", help="open the URL in a browser, too"
    )
    mint.add_argument(
        "--organization",
        metavar="ID",
        help="checked by the tenant, and passed on in the URL",
    )
    mint.add_argument("--scope", metavar="NAMES", help="names parted by spaces")
    mint.add_argument(
        "--reason",
        metavar="TEXT",
        help="why, such as a ticket number; the Action reads it",
    )
    mint.add_argument(
        "--forwarded-for",
        metavar="IP",
        help="the address that the token will be used from",
    )
    mint.add_argument(
        "--extra",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="for the Action; repeatable",
    )
    mint.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=10.0,
        help="for the whole call; 10 by default",
    )

    demo = commands.add_parser(
        "demo", help="play the whole flow on this machine", allow_abbrev=False
    )
    demo.set_defaults(run=_demo)
    demo.add_argument(
        "--serve", action="store_true", help="open a playground in the browser instead"
    )
    demo.add_argument(
        "--port",
        type=int,
        default=0,
        help="the playground's port; a free one by default",
    )
    return parser


def _settings_help() -> str:
    lines = ["settings, from the environment or from a file (- for standard input):"]
    for name, meaning in _SETTINGS.items():
        lines.append(f"  {_variable(name):26}{_option(name)} PATH\n      {meaning}")
    lines.append(
        f"  {_CERTIFICATE}, {_CERTIFICATE_KEY}\n      or the paths of a certificate and its key"
    )
    return "\n".join(lines) + "\n"


def _variable(name: str) -> str:
    return "AUTH0_" + name.upper()


def _option(name: str) -> str:
    return "--{}-file".format(name.replace("_", "-"))


def _mint(options: argparse.Namespace) -> int:
    try:
        if options.open and options.target_login_url is None:
            return _complain("--open needs --target-login-url")
        # Once before, since a token that was minted for a bad URL would be lost.
        _url(
            options,
            SessionTransferTokenResult("none-yet", SESSION_TRANSFER_TOKEN_TYPE, 0),
        )
        result = request_session_transfer_token(**_arguments(options))
        url = _url(options, result)
    except SessionTransferError as error:
        return _report(error)
    except (ImportError, ValueError) as error:
        return _complain(str(error))
    print(_shown(result, url, options.json))
    if options.open and url is not None:
        _open(url)
    return _DONE


def _open(url: str) -> None:
    try:
        opened = webbrowser.open(url)
    except Exception:  # whatever becomes of a malformed BROWSER
        opened = False
    if not opened:
        _complain("there is no browser to open")


def _url(
    options: argparse.Namespace, result: SessionTransferTokenResult
) -> Optional[str]:
    if options.target_login_url is None:
        return None
    return build_session_transfer_redirect(
        options.target_login_url, result, options.organization
    )


def _arguments(options: argparse.Namespace) -> Dict[str, Any]:
    values = _settings(options)
    private_key = values.pop("private_key")
    if private_key is not None:
        values["client_assertion"] = private_key_jwt(values["client_id"], private_key)
    certificate, key = os.environ.get(_CERTIFICATE), os.environ.get(_CERTIFICATE_KEY)
    if certificate:
        values["client_certificate"] = (certificate, key) if key else certificate
    values["actor_token_type"] = values["actor_token_type"] or ID_TOKEN_TYPE
    extra: Dict[str, List[str]] = {}
    for pair in options.extra:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError("--extra must be NAME=VALUE")
        extra.setdefault(name, []).append(value)
    for name in ("organization", "scope", "reason", "forwarded_for", "timeout"):
        values[name] = getattr(options, name)
    return {**values, "extra": extra or None}


def _settings(options: argparse.Namespace) -> Dict[str, Any]:
    paths = {name: getattr(options, name) for name in _SETTINGS}
    if list(paths.values()).count("-") > 1:
        raise ValueError("only one setting can come from standard input")
    values = {}
    for name, path in paths.items():
        values[name] = (
            os.environ.get(_variable(name)) or None
            if path is None
            else _read(name, path)
        )
        if values[name] is None and name in (
            "domain",
            "client_id",
            "subject_token",
            "subject_token_type",
        ):
            raise ValueError(f"set {_variable(name)}, or pass {_option(name)}")
    return values


def _read(name: str, path: str) -> str:
    problem = _option(name) + " can't be read: "
    try:
        if path == "-":
            return sys.stdin.buffer.read().decode("utf-8").rstrip("\r\n")
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\r\n")
    except UnicodeDecodeError:
        problem += "it is not UTF-8"
    except OSError as error:
        problem += str(error.strerror)
    raise ValueError(problem)


def _shown(
    result: SessionTransferTokenResult, url: Optional[str], as_json: bool
) -> str:
    if url is not None and not as_json:
        return url
    shown = {**asdict(result), "url": url}
    return json.dumps(
        {name: value for name, value in shown.items() if value is not None}
    )


def _report(error: SessionTransferError) -> int:
    _complain(f"{error.code}: {error}")
    if error.hint is not None:
        print("  " + error.hint, file=sys.stderr)
    wait = getattr(error, "retry_after", None)
    if error.retryable and wait is not None:
        print(f"  retry after {wait:.0f} seconds", file=sys.stderr)
    if error.retryable:
        return _RETRY
    if isinstance(error, TransportError):
        return _UNREACHABLE
    return (
        _USAGE
        if isinstance(error, ValueError) or error.code in FOUND_HERE
        else _REFUSED
    )


def _complain(message: str) -> int:
    print("auth0-stt: " + message, file=sys.stderr)
    return _USAGE


def _demo(options: argparse.Namespace) -> int:
    try:
        from .testing.demo import run_demo
        from .testing.playground import serve
    except ImportError:
        return _complain(
            'the demo needs more libraries: pip install "auth0-stt[testing]"'
        )
    return serve(options.port) if options.serve else run_demo(sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
