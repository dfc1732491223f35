"""``auth0-stt mint``: a session transfer token, for scripts and cron jobs.

Secrets and tokens come from the environment or from files, never from an argument,
which ``ps`` shows to everyone.
"""

import argparse
import json
import os
import re
from typing import Any, Dict, List, Optional, Tuple

from attr import asdict

from .. import (
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    SessionTransferError,
    SessionTransferTokenResult,
    build_session_transfer_redirect,
    private_key_jwt,
    request_session_transfer_token,
)
from .ends import DONE, EXIT_CODES, CommandError, ending, found_here

#: From a variable, AUTH0_ and the name in capitals, or from a file.
_SETTINGS = {
    "domain": "the tenant's host",
    "client_id": "the application's client ID",
    "client_secret": "its secret",
    "client_assertion": "or a signed assertion",
    "private_key": "or the private key, in PEM, to sign one with",
    "subject_token": "proves who the customer is",
    "subject_token_type": "the URI of the exchange profile, such as urn:acme:customer",
    "actor_token": "proves who the agent is: in practice an ID token",
    "actor_token_type": "its type; that of an ID token by default",
}
_REQUIRED = (
    "domain",
    "client_id",
    "subject_token",
    "subject_token_type",
    "actor_token",
)

#: Paths are not secret, so they come only from the environment.
_CERTIFICATE, _CERTIFICATE_KEY = (
    "AUTH0_CLIENT_CERTIFICATE",
    "AUTH0_CLIENT_CERTIFICATE_KEY",
)

#: Options that are arguments of request_session_transfer_token.
_OPTIONS = {
    "organization": ("ID", "checked by the tenant, and passed on in the URL"),
    "scope": ("NAMES", "scopes, separated by spaces"),
    "reason": ("TEXT", "why, such as a ticket number; the tenant's Action reads it"),
    "forwarded_for": ("IP", "the agent's address: the token works only from there"),
    "timeout": ("SECONDS", "for the whole call; 10 by default"),
}

_JSON = """\
with --json, standard output is always one object:
  the result   session_transfer_token, issued_token_type and, where known,
               expires_in, token_type, scope, url
  a failure    code, message, hint, retryable, retry_after (null where unknown)
"""


def add_parser(commands: Any) -> None:
    """Add the command ``mint``."""
    parser = commands.add_parser(
        "mint",
        help="mint a session transfer token",
        description="Mint a session transfer token and print it as JSON, or print\n"
        "the URL that opens the target application with it.",
        epilog="\n".join((_settings_help(), _JSON, EXIT_CODES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=_run, timeout=10.0)
    for name in _SETTINGS:
        parser.add_argument(
            _file_option(name), dest=name, metavar="PATH", help=argparse.SUPPRESS
        )
    parser.add_argument(
        "--target-login-url",
        metavar="URL",
        help="print the URL that opens this application",
    )
    for name, (metavar, meaning) in _OPTIONS.items():
        kind = float if name == "timeout" else str
        parser.add_argument(_option(name), metavar=metavar, type=kind, help=meaning)
    parser.add_argument(
        "--extra",
        metavar="NAME=VALUE",
        type=_pair,
        action="append",
        default=[],
        help="another field for the Action; can be repeated",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON, also with --target-login-url"
    )


def _settings_help() -> str:
    lines = ["settings, from the environment or a file (- for standard input):"]
    for name, meaning in _SETTINGS.items():
        lines.append(
            f"  {_variable(name):26}{_file_option(name)} PATH\n      {meaning}"
        )
    lines.append(f"  {_CERTIFICATE}, {_CERTIFICATE_KEY}")
    lines.append("      or the paths of a certificate and its key\n")
    return "\n".join(lines)


def _variable(name: str) -> str:
    return "AUTH0_" + name.upper()


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _file_option(name: str) -> str:
    return _option(name) + "-file"


def _pair(text: str) -> Tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("must be NAME=VALUE")
    return name, value


def _run(options: argparse.Namespace) -> int:
    values = _settings(options)
    try:
        # Checked before the request, since a token for a bad URL would be lost.
        _url(options, SessionTransferTokenResult("-", SESSION_TRANSFER_TOKEN_TYPE, 60))
        result = request_session_transfer_token(**_arguments(options, values))
        url = _url(options, result)
    except SessionTransferError as error:
        raise _in_own_names(error, options) from None
    if url is not None and not options.json:
        print(url)
    else:
        shown = {**asdict(result), "url": url}
        known = {name: value for name, value in shown.items() if value is not None}
        print(json.dumps(known))
    return DONE


def _url(
    options: argparse.Namespace, result: SessionTransferTokenResult
) -> Optional[str]:
    if options.target_login_url is None:
        return None
    return build_session_transfer_redirect(
        options.target_login_url, result, options.organization
    )


def _settings(options: argparse.Namespace) -> Dict[str, str]:
    """Return what is set, or raise an error that names all that is missing."""
    paths = {name: getattr(options, name) for name in _SETTINGS}
    if list(paths.values()).count("-") > 1:
        raise CommandError("only one setting can come from standard input")
    values = {}
    for name, path in paths.items():
        if path is not None:
            values[name] = _read(name, path)
        elif os.environ.get(_variable(name)):
            values[name] = os.environ[_variable(name)]
    credentials = [
        _variable(name)
        for name in ("client_secret", "client_assertion", "private_key")
        if name in values
    ]
    if os.environ.get(_CERTIFICATE):
        credentials.append(_CERTIFICATE)
    missing = [_variable(name) for name in _REQUIRED if name not in values]
    if not credentials:
        missing.append("AUTH0_CLIENT_SECRET (or another credential)")
    if missing:
        raise CommandError(
            "missing settings: " + ", ".join(missing),
            hint="Each can come from a file, too: see auth0-stt mint --help.",
        )
    if len(credentials) > 1:
        raise CommandError("set only one of " + ", ".join(credentials))
    return values


def _read(name: str, path: str) -> str:
    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as file:
            return file.read().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    except OSError as error:
        problem = str(error.strerror)
    raise CommandError(f"{_file_option(name)} can't be read: {problem}")


def _arguments(options: argparse.Namespace, values: Dict[str, str]) -> Dict[str, Any]:
    arguments: Dict[str, Any] = {"actor_token_type": ID_TOKEN_TYPE, **values}
    private_key = arguments.pop("private_key", None)
    if private_key is not None:
        arguments["client_assertion"] = private_key_jwt(
            values["client_id"], private_key
        )
    certificate, key = map(os.environ.get, (_CERTIFICATE, _CERTIFICATE_KEY))
    if certificate:
        arguments["client_certificate"] = (certificate, key) if key else certificate
    extra: Dict[str, List[str]] = {}
    for name, value in options.extra:
        extra.setdefault(name, []).append(value)
    arguments.update({name: getattr(options, name) for name in _OPTIONS})
    return {**arguments, "extra": extra or None}


def _in_own_names(
    error: SessionTransferError, options: argparse.Namespace
) -> CommandError:
    """Return an error of the library under the names that the command line uses."""
    names = {name: _option(name) for name in (*_OPTIONS, "target_login_url", "extra")}
    names["client_certificate"] = _CERTIFICATE
    for name in _SETTINGS:
        given = getattr(options, name) is not None
        names[name] = _file_option(name) if given else _variable(name)
    end = ending(error)
    if found_here(error):
        # The message begins with the argument's name, and may end with advice on None.
        name, _, rest = end.message.partition(" ")
        end.message = f"{names.get(name, name)} {rest.partition(' (pass None')[0]}"
    if end.hint is not None:
        end.hint = re.sub(
            r"[a-z]+(?:_[a-z]+)+", lambda found: names.get(found[0], found[0]), end.hint
        )
    return end
