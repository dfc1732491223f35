"""A request as code to paste: Python and curl, with names in the place of secrets."""

import json
import shlex
from typing import Dict, List, Tuple

from attr import attrs

Fields = List[Tuple[str, str]]

# What is not shown, by the name of its field.
SECRETS = (
    "access_token",
    "actor_token",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "id_token",
    "nonce",
    "password",
    "refresh_token",
    "session_transfer_token",
    "state",
    "subject_token",
)
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
# What the library sends without being told.
CLIENT = ("client_id", "client_secret")
IMPLIED = ("grant_type", "audience")


@attrs(frozen=True, auto_attribs=True)
class Call:
    """A request: ``fields`` are those of its form, or of its query if it is a GET."""

    method: str
    url: str
    headers: Dict[str, str]
    fields: Fields

    @property
    def as_curl(self) -> str:
        lines = ["curl " + ("--get " if self.method == "GET" else "") + self.url]
        for name, value in self.headers.items():
            lines.append("--header " + shlex.quote(f"{name}: {value}"))
        for name, value in self.fields:
            text = f'"{name}=${name.upper()}"'
            if name not in SECRETS:
                text = shlex.quote(f"{name}={value}")
            lines.append("--data-urlencode " + text)
        return " \\\n  ".join(lines)

    @property
    def as_python(self) -> str:
        if ("grant_type", TOKEN_EXCHANGE) in self.fields:
            return self._library_call()
        fields = "params" if self.method == "GET" else "data"
        lines = [f'    "{self.url}",']
        if self.fields:
            lines.append(f"    {fields}={{")
            # A link from elsewhere may have led here: none of its names may become
            # code.
            lines += [
                f"        {json.dumps(name)}: {_python(name, value)},"
                for name, value in self.fields
            ]
            lines.append("    },")
        body = "\n".join([*lines, "    timeout=10,"])
        environ = "import os\n\n" if "os.environ[" in body else ""
        function = f"requests.{self.method.lower()}"
        return f"{environ}import requests\n\nanswer = {function}(\n{body}\n)"

    def _library_call(self) -> str:
        arguments = [f'    domain="{self.url.rpartition("/oauth/token")[0]}",']
        # Who asks stands first, as in the library's documentation.
        fields = sorted(self.fields, key=lambda each: each[0] not in CLIENT)
        for name, value in fields:
            if name not in IMPLIED:
                arguments.append(f"    {name}={_python(name, value)},")
        forwarded = self.headers.get("auth0-forwarded-for")
        if forwarded:
            arguments.append(f"    forwarded_for={json.dumps(forwarded)},")
        return (
            "import os\n\nfrom auth0_stt import request_session_transfer_token\n\n"
            "result = request_session_transfer_token(\n" + "\n".join(arguments) + "\n)"
        )


def _python(name: str, value: str) -> str:
    return f'os.environ["{name.upper()}"]' if name in SECRETS else json.dumps(value)
