"""``auth0-stt demo``: the whole flow in the terminal, hop by hop."""

from typing import TextIO, Tuple
from urllib.parse import urlsplit

from requests import Session

from .. import (
    ID_TOKEN_TYPE,
    SessionTransferError,
    SessionTransferTokenResult,
    __version__,
    actor_from_claims,
    build_session_transfer_redirect,
    request_session_transfer_token,
)
from .browser import RedemptionFailed
from .local_tenant import LocalTenant

# Sam, of the support team, is about to enter Ada's account.
AGENT = "auth0|sam"
CUSTOMER = "auth0|ada"
REASON = "TICKET-4711: order did not arrive"
AGENT_IP = "127.0.0.1"


def run_demo(stream: TextIO) -> int:
    """Play agent, console, tenant, browser and shop; return 0 only if the agent got in.

    The output is plain ASCII. Tokens are masked, except in the last line: by then that
    one is used and its tenant is gone.
    """
    tell = Teller(stream)
    try:
        url = _play(tell)
    except (SessionTransferError, RedemptionFailed, OSError) as error:
        tell.end(f"It did not work: {error}", getattr(error, "hint", None) or "")
        return 1
    tell.end(
        "It worked. This is the whole redirect URL. It opens nothing any more: its",
        "token is used, and the tenant that issued it ended with this demo.",
        "",
        url,
    )
    return 0


def masked(token: str) -> str:
    """Return the part of a token that may be shown: too little to use."""
    return f"{token[:4]}...({len(token)} characters)"


def masked_url(url: str, token: str) -> str:
    """Return a URL with the token in it masked."""
    return url.replace(token, token[:4] + "...")


class Teller:
    """Writes the story down, step by step."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._steps = 0

    def step(self, who: str, what: str, *facts: Tuple[str, object]) -> None:
        """Write a step: a numbered line, and what it carried below."""
        self._steps += 1
        self._write(f"\n{self._steps}. {who}: {what}")
        for name, value in facts:
            self._write(f"     {name:<20} {value}")

    def end(self, *lines: str) -> None:
        """Write the last lines."""
        self._write("\n" + "\n".join(lines))

    def _write(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def _play(tell: Teller) -> str:
    with LocalTenant() as tenant, Session() as session:
        # A proxy from the environment can't reach this machine's loopback.
        session.trust_env = False
        tell.step(
            "Tenant",
            f"listens on this machine (auth0-stt {__version__})",
            ("console's domain", tenant.console["domain"]),
            ("shop's domain", tenant.shop["domain"]),
        )
        result = _mint(tell, tenant, session)
        url = build_session_transfer_redirect(
            tenant.settings["shop"]["initiate_login_uri"], result
        )
        tell.step(
            "Console -> browser",
            "303, go to the shop",
            ("Location", masked_url(url, result.session_transfer_token)),
        )
        _enter(tell, tenant, url)
        tell.step(
            "Tenant", "its log", *((log.type, log.description) for log in tenant.logs)
        )
    return url


def _mint(
    tell: Teller, tenant: LocalTenant, session: Session
) -> SessionTransferTokenResult:
    agent, customer = tenant.users[AGENT], tenant.users[CUSTOMER]
    tokens = tenant.agent_tokens(AGENT)
    tell.step(
        "Console",
        f"the agent {agent['name']} signs in",
        ("sub", AGENT),
        ("ID token", masked(tokens["id_token"])),
        ("refresh token", masked(tokens["refresh_token"])),
    )
    subject_token = tenant.subject_token(CUSTOMER)
    tell.step(
        "Console -> tenant",
        f"{agent['name']} asks to act for {customer['name']}",
        ("POST", urlsplit(tenant.domain).netloc + "/oauth/token"),
        ("subject_token", f"{masked(subject_token)}, for {CUSTOMER}"),
        ("subject_token_type", tenant.subject_token_type),
        ("actor_token", f"{masked(tokens['id_token'])}, of {AGENT}"),
        ("reason", REASON),
        ("auth0-forwarded-for", f"{AGENT_IP}, the agent's own address"),
    )
    result = request_session_transfer_token(
        **tenant.console,
        subject_token=subject_token,
        subject_token_type=tenant.subject_token_type,
        actor_token=tokens["id_token"],
        actor_token_type=ID_TOKEN_TYPE,
        reason=REASON,
        forwarded_for=AGENT_IP,
        session=session,
    )
    lifetime = f"{result.expires_in} seconds, for one use, only from {AGENT_IP}"
    tell.step(
        "Tenant -> console",
        "a session transfer token",
        ("token", masked(result.session_transfer_token)),
        ("issued_token_type", result.issued_token_type),
        ("expires_in", lifetime),
    )
    return result


def _enter(tell: Teller, tenant: LocalTenant, url: str) -> None:
    claims = tenant.redeem(url, ip=AGENT_IP)
    actor = actor_from_claims(claims)
    if claims["sub"] != CUSTOMER or actor is None or actor.sub != AGENT:
        raise RedemptionFailed("The shop's ID token names somebody else.")
    tell.step(
        "Browser -> shop -> tenant",
        "the token is redeemed at /authorize; the shop's ID token says",
        ("sub", f"{claims['sub']}, whose account it is"),
        ("act.sub", f"{actor.sub}, who is really there"),
    )
    failure = _second_use(tenant, url)
    page = f"the {failure.page} page" if failure.page else "refused"
    tell.step("Browser", "the same URL once more", (page, failure.reason))


def _second_use(tenant: LocalTenant, url: str) -> RedemptionFailed:
    try:
        tenant.redeem(url, ip=AGENT_IP)
    except RedemptionFailed as failure:
        return failure
    raise RedemptionFailed("The token could be used twice.")
