"""``auth0-stt doctor``: why does it not work on my tenant?"""

import argparse
import json
import os
import re
import sys
from typing import Any, Dict, List, Optional

from attr import asdict

from .ends import DONE, RETRY, UNREACHABLE, USAGE, CommandError
from .ends import report as show

_WRONG = 1

_DESCRIPTION = """\
Check a tenant for everything that session delegation needs, and say what to change.
Only reads: GET requests to the Management API, or files that were read before.
"""

_SETTINGS = """\
settings, from the environment:
  AUTH0_DOMAIN              the tenant's own domain, such as acme.eu.auth0.com
  AUTH0_MANAGEMENT_TOKEN    an access token for its Management API; what the token may
                            not read is reported as unknown
"""

_EXIT_CODES = """\
exit codes:
  0    nothing is wrong, as far as could be read
  1    something is wrong
  2    usage, an unknown client ID, or the management token was refused
  4    worth a retry, after the seconds in the message if there are any; what was read
       before the tenant asked to come back later is reported
  5    unreachable, or not a Management API
"""


_DOCUMENTS = "documents: see below"


class _Help(argparse.RawDescriptionHelpFormatter):
    """Writes the part about the documents when somebody reads it, not before."""

    def add_text(self, text: Optional[str]) -> None:
        if text is not None and _DOCUMENTS in text:
            text = text.replace(_DOCUMENTS, _documents_help())
        super().add_text(text)


def add_parser(commands: Any) -> None:
    """Add the command ``doctor``."""
    parser = commands.add_parser(
        "doctor",
        help="find out why it does not work on a tenant",
        description=_DESCRIPTION,
        epilog="\n".join((_SETTINGS, _DOCUMENTS, _EXIT_CODES)),
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.set_defaults(run=_run)
    for name, metavar, text in (
        ("console", "CLIENT_ID", "the application that mints"),
        ("shop", "CLIENT_ID", "the application that is entered"),
        ("subject-token-type", "URI", "what the console sends; picks the profile"),
        ("target-login-url", "URL", "where the console redirects to"),
        ("organization", "ORG", "the organization that the console names, if any"),
        ("documents", "DIR", "read these files instead of the tenant"),
        ("management-token-file", "PATH", "instead of AUTH0_MANAGEMENT_TOKEN"),
    ):
        parser.add_argument("--" + name, metavar=metavar, help=text)
    parser.add_argument(
        "--try-login",
        action="store_true",
        help="open --target-login-url once with a made-up token, and look whether it "
        "reaches /authorize",
    )
    parser.add_argument("--json", action="store_true", help="print a list of findings")
    parser.add_argument(
        "--fix",
        choices=("curl", "terraform", "auth0-cli"),
        help="print what to run instead; nothing is run",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=30.0,
        help="for everything; 30 by default",
    )


def _run(options: argparse.Namespace) -> int:
    from ..doctor import diagnose
    from ..doctor.fixes import fixes
    from ..doctor.report import report, throttled

    if options.try_login and not options.target_login_url:
        raise CommandError("--try-login needs --target-login-url")
    documents = _documents(options)
    findings = diagnose(
        documents,
        console=options.console,
        shop=options.shop,
        subject_token_type=options.subject_token_type,
        target_login_url=options.target_login_url,
        organization=options.organization,
    )
    if options.json:
        # A finding is an object with the fields of auth0_stt.doctor.Finding.
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    elif options.fix:
        kind = options.subject_token_type
        domain = None if options.documents else os.environ.get("AUTH0_DOMAIN")
        print(fixes(findings, documents, options.fix, kind, domain), end="")
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        text = report(findings, documents, colour=colour, plain=not _takes("\u2713"))
        print(text, end="")
    ending = DONE
    refused = throttled(documents) if options.documents is None else None
    if refused is not None:
        message, wait = refused["message"], refused["retry_after"]
        # On standard error, with --json too: standard output has the findings.
        ending = show(CommandError(message, "throttled", None, True, wait, RETRY))
    return _WRONG if any(each.status == "wrong" for each in findings) else ending


def _takes(text: str) -> bool:
    """Return whether standard output can show a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _documents(options: argparse.Namespace) -> Dict[str, Any]:
    from ..doctor.reader import ReadError
    from ..errors import InvalidArgumentError

    try:
        if options.documents is not None:
            documents = _files(options.documents)
        else:
            documents = _read(options)
        if options.try_login:
            documents["try-login"] = _tried(options)
    except InvalidArgumentError as error:
        raise CommandError(error.message) from None
    except ReadError as error:
        raise _ending(error) from None
    return documents


def _read(options: argparse.Namespace) -> Dict[str, Any]:
    from ..doctor.reader import read

    domain, token = os.environ.get("AUTH0_DOMAIN"), _token(options)
    needed = {
        "AUTH0_DOMAIN": domain,
        "AUTH0_MANAGEMENT_TOKEN": token,
        "--console": options.console,
        "--shop": options.shop,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise CommandError(
            "missing: " + ", ".join(missing),
            hint="Or read the tenant's settings from files with --documents.",
        )
    documents = read(
        domain or "",
        token or "",
        console=options.console,
        shop=options.shop,
        subject_token_type=options.subject_token_type,
        organization=options.organization,
        timeout=options.timeout,
    )
    # Everything about it would be unknown, and so nothing wrong.
    for name, client_id in (("console", options.console), ("shop", options.shop)):
        if documents[name].get("statusCode") == 404:
            problem = f"--{name} {client_id}: the tenant has no such application"
            raise CommandError(problem, "not_found")
    return documents


def _tried(options: argparse.Namespace) -> Dict[str, Any]:
    from ..doctor.reader import ReadError, try_login

    try:
        return try_login(
            options.target_login_url, options.organization, options.timeout
        )
    except ReadError as error:
        # A shop that is down is no reason to keep back what the settings say.
        return {"statusCode": 0, "message": f"the login URL: {error.message}"}


def _ending(error: Any) -> CommandError:
    exit_code = UNREACHABLE
    if error.retryable:
        exit_code = RETRY
    elif error.code == "unauthorized":
        exit_code = USAGE
    return CommandError(
        error.message,
        error.code,
        None,
        error.retryable,
        error.retry_after,
        exit_code,
    )


def _files(directory: str) -> Dict[str, Any]:
    """Return the documents in a directory, by the names of the files."""
    documents = {}
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        problem = f"--documents {directory} can't be read: {error.strerror}"
        raise CommandError(problem) from None
    for name in names:
        if not name.endswith(".json"):
            continue
        try:
            with open(os.path.join(directory, name), "rb") as file:
                documents[name] = json.loads(file.read().decode("utf-8-sig"))
        except (ValueError, RecursionError):
            documents[name] = {"statusCode": 0, "message": f"{name} is not JSON"}
        except OSError:
            documents[name] = {"statusCode": 0, "message": f"{name} can't be read"}
    if not documents:
        raise CommandError(f"--documents {directory} has no file that ends in .json")
    return documents


def _token(options: argparse.Namespace) -> Optional[str]:
    path = options.management_token_file
    if path is None:
        return os.environ.get("AUTH0_MANAGEMENT_TOKEN")
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8").strip()
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    except OSError as error:
        problem = str(error.strerror)
    raise CommandError(f"--management-token-file can't be read: {problem}")


def _documents_help() -> str:
    from ..doctor.documents import SOURCES

    lines: List[str] = [
        "documents, as the Auth0 CLI writes them after auth0 login; any may be left "
        "out.\nACTION is the action_id in token-exchange-profiles.json.",
        "  CONSOLE=... SHOP=... ACTION=... ORGANIZATION=... DIR=...",
    ]
    for source in SOURCES.values():
        words = [f'"{_for_shell(source.path)}"']
        words += [f'-q "{name}={_for_shell(value)}"' for name, value in source.query]
        words.append(f'> "$DIR/{source.name}.json"')
        lines.append("  auth0 api get " + " \\\n    ".join(words))
    return "\n".join(lines) + "\n"


def _for_shell(text: str) -> str:
    """Return a path or a query with shell variables, for between double quotes."""
    text = text.replace('"', '\\"')
    return re.sub(r"\{(\w+)\}", lambda match: "$" + match.group(1).upper(), text)
