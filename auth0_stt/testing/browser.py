"""Plays a browser and the shop behind it, over HTTP against the tenant."""

import secrets
from typing import Any, Dict, Optional
from urllib.parse import parse_qs, parse_qsl, urlsplit

from attr import attrs
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from .tenant.origin import ADDRESS_HEADER, REASON_HEADER
from .tenant.settings import SHOP_ID
from .tenant.state import State

TIMEOUT = 10.0


@attrs(auto_exc=True, auto_attribs=True, str=False)
class RedemptionFailed(Exception):  # noqa: N818
    """The agent did not get into the customer's account.

    ``reason`` says why in words; ``page`` is what the browser shows instead (``"login"``,
    ``"error"``), None where the application got an OAuth ``error`` at its callback.
    """

    reason: str
    error: Optional[str] = None
    page: Optional[str] = None

    def __str__(self) -> str:
        return self.reason


class Browser:
    """A browser with cookies of its own at one IP address, fit for several logins in a row."""

    def __init__(self, tenant: State, ip: str = "127.0.0.1") -> None:
        self._tenant = tenant
        self.ip = ip
        self.session: OAuth2Session = OAuth2Session()
        self.session.trust_env = False
        self.session.verify = tenant.ca_file or True

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    def close(self) -> None:
        """Close the browser: its cookies and connections are gone."""
        self.session.close()

    def redeem(self, url: str, scope: str = "openid profile email") -> Dict[str, Any]:
        """Follow a redirect URL into the shop; return the claims of the ID token it gets.

        Raises:
            RedemptionFailed: with ``reason`` in words.
        """
        query = parse_qs(urlsplit(url).query, keep_blank_values=True)
        names = ("session_transfer_token", "organization")
        passed_on: Dict[str, Any] = {
            name: query[name] for name in names if name in query
        }
        if "session_transfer_token" not in passed_on:
            raise RedemptionFailed("The URL carries no session_transfer_token.")
        return self.log_in(self._tenant.application(SHOP_ID), None, scope, **passed_on)

    def sign_in(
        self,
        user_id: str,
        application: Optional[Dict[str, str]] = None,
        scope: str = "openid",
    ) -> Dict[str, Any]:
        """Log in on the login page of an application (the shop); return the ID token's claims.

        Raises:
            RedemptionFailed: with ``reason`` in words.
        """
        application = application or self._tenant.application(SHOP_ID)
        user = self._tenant.users[user_id]
        form = {"username": user["email"], "password": user["password"]}
        return self.log_in(application, form, scope=scope)

    def log_out(self, application: Optional[Dict[str, str]] = None) -> None:
        """Log out on the domain of an application (the shop)."""
        self._get(
            self._issuer(application or self._tenant.application(SHOP_ID)) + "v2/logout"
        )

    def log_in(
        self,
        application: Dict[str, str],
        form: Optional[Dict[str, str]] = None,
        scope: str = "openid",
        **parameters: Any,
    ) -> Dict[str, Any]:
        """Run an application's code flow, with ``form`` for a login page; return the claims.

        Raises:
            RedemptionFailed: with ``reason`` in words.
        """
        try:
            return self._log_in(application, form, dict(parameters, scope=scope))
        except OAuthError as error:
            raise RedemptionFailed(
                error.description or error.error, error.error
            ) from None
        except OSError as error:
            raise RedemptionFailed(f"The tenant gave no answer: {error}") from None
        except (JoseError, ValueError, LookupError) as error:
            raise RedemptionFailed(
                f"The login did not end with an ID token: {type(error).__name__}: {error}"
            ) from None

    def _log_in(
        self,
        application: Dict[str, str],
        form: Optional[Dict[str, str]],
        parameters: Dict[str, Any],
    ) -> Dict[str, Any]:
        client_id, issuer = application["client_id"], self._issuer(application)
        web, verifier, nonce = (
            self.session,
            secrets.token_urlsafe(48),
            secrets.token_urlsafe(16),
        )
        web.client_id, web.client_secret = client_id, application["client_secret"]
        web.redirect_uri = self._tenant.settings[client_id]["callbacks"][0]
        web.code_challenge_method = "S256"
        web.token_endpoint_auth_method = "client_secret_post"
        address, state = web.create_authorization_url(
            issuer + "authorize",
            code_verifier=verifier,
            nonce=nonce,
            response_mode="query",
            **parameters,
        )
        answer = self._get(address)
        if form is not None and not answer.is_redirect:
            answer = self._send(
                "POST", issuer + "u/login?" + urlsplit(address).query, data=form
            )
            answer = self._get(issuer.rstrip("/") + answer.headers.get("Location", "/"))
        callback = str(answer.headers.get("Location", ""))
        if not callback.startswith(web.redirect_uri):
            page, reason = "login", "The browser shows the login page."
            if not answer.ok:
                page, reason = (
                    "error",
                    f"The tenant answered HTTP {answer.status_code}.",
                )
            raise RedemptionFailed(answer.headers.get(REASON_HEADER, reason), page=page)
        told: Dict[str, str] = dict(parse_qsl(urlsplit(callback).query))
        if "error" in told:
            raise RedemptionFailed(
                told.get("error_description", told["error"]), told["error"]
            )
        token = web.fetch_token(
            issuer + "oauth/token",
            authorization_response=callback,
            state=state,
            code_verifier=verifier,
            timeout=TIMEOUT,
        )
        keys = KeySet.import_key_set(self._get(issuer + ".well-known/jwks.json").json())
        claims: Dict[str, Any] = jwt.decode(
            token["id_token"], keys, ["RS256", "PS256"]
        ).claims
        expected = {"iss": issuer, "aud": client_id, "nonce": nonce}
        options: Any = {k: {"essential": True, "value": v} for k, v in expected.items()}
        jwt.JWTClaimsRegistry(now=int(self._tenant.clock()), **options).validate(claims)
        return claims

    def _issuer(self, application: Dict[str, str]) -> str:
        domain = application["domain"]
        return (domain if "://" in domain else "https://" + domain) + "/"

    def _get(self, url: str) -> Any:
        return self._send("GET", url)

    def _send(self, method: str, url: str, **kwargs: Any) -> Any:
        headers = {ADDRESS_HEADER: f"{self._tenant.address_secret} {self.ip}"}
        return self.session.request(
            method,
            url,
            headers=headers,
            withhold_token=True,
            allow_redirects=False,
            timeout=TIMEOUT,
            **kwargs,
        )
