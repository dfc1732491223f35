"""Plays a browser and the shop behind it, over HTTP against the tenant."""

import secrets
from typing import Any, Dict, Optional
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from attr import attrs
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from .tenant.origin import ADDRESS_HEADER, REASON_HEADER, RULE_HEADER
from .tenant.settings import SHOP_ID
from .tenant.state import State

TIMEOUT = 10.0


@attrs(auto_exc=True, auto_attribs=True, str=False)
class RedemptionFailed(Exception):  # noqa: N818
    """The agent did not get into the customer's account.

    ``reason`` says why in words, ``rule`` is the id of a row of :mod:`auth0_stt.rules`,
    None where none applies. ``page`` is what the browser shows instead (``"login"``,
    ``"error"``), None where the application got an OAuth ``error`` at its callback.
    """

    reason: str
    error: Optional[str] = None
    page: Optional[str] = None
    rule: Optional[str] = None

    def __str__(self) -> str:
        return self.reason


class _Loopback(HTTPAdapter):
    """Reaches a tenant on loopback under the public domain that a URL has."""

    def __init__(self, tenant: State) -> None:
        super().__init__()
        scheme = "https" if tenant.tls else "http"
        self._origin = f"{scheme}://127.0.0.1:{tenant.port}"

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        parts = urlsplit(str(request.url))
        request.headers["Host"] = parts.netloc
        request.url = str(request.url).replace(
            f"{parts.scheme}://{parts.netloc}", self._origin, 1
        )
        return super().send(request, *args, **kwargs)


class Browser:
    """A browser at one IP address. It keeps its cookies from one login to the next."""

    def __init__(self, tenant: State, ip: str = "127.0.0.1") -> None:
        self._tenant = tenant
        self.ip = ip
        self.session: OAuth2Session = OAuth2Session()
        self.session.trust_env = False
        self.session.verify = tenant.ca_file or True
        for domain in tenant.public_domains or ():
            self.session.mount(f"https://{domain}/", _Loopback(tenant))

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    def close(self) -> None:
        """Close the browser: its cookies and connections are gone."""
        self.session.close()

    def redeem(self, url: str, scope: str = "openid profile email") -> Dict[str, Any]:
        """Follow a redirect URL into the shop, and return its ID token's claims.

        Raises:
            RedemptionFailed: with ``reason`` in words and the ``rule`` that was broken.
        """
        query = parse_qs(urlsplit(url).query, keep_blank_values=True)
        names = ("session_transfer_token", "organization")
        passed_on: Dict[str, Any] = {
            name: query[name] for name in names if name in query
        }
        if "session_transfer_token" not in passed_on:
            text = "The URL carries no session_transfer_token."
            raise RedemptionFailed(text, rule="login-route-passes-token")
        shop = self._tenant.application(SHOP_ID)
        return self.log_in(shop, None, scope, **passed_on)

    def sign_in(
        self,
        user_id: str,
        application: Optional[Dict[str, str]] = None,
        scope: str = "openid",
    ) -> Dict[str, Any]:
        """Log in on the page of an application, and return the ID token's claims.

        Raises:
            RedemptionFailed: with ``reason`` in words.
        """
        user = self._tenant.users[user_id]
        form = {"username": user["email"], "password": user["password"]}
        application = application or self._tenant.application(SHOP_ID)
        return self.log_in(application, form, scope=scope)

    def log_out(self, application: Optional[Dict[str, str]] = None) -> None:
        """Log out on the domain of an application (the shop)."""
        application = application or self._tenant.application(SHOP_ID)
        self._get(self._issuer(application) + "v2/logout")

    def log_in(
        self,
        application: Dict[str, str],
        form: Optional[Dict[str, str]] = None,
        scope: str = "openid",
        **parameters: Any,
    ) -> Dict[str, Any]:
        """Run an application's code flow, with ``form`` for the login page.

        Raises:
            RedemptionFailed: with ``reason`` in words.
        """
        try:
            return self._log_in(application, form, dict(parameters, scope=scope))
        except OAuthError as error:
            text = error.description or error.error
            raise RedemptionFailed(text, error.error) from None
        except OSError as error:
            raise RedemptionFailed(f"The tenant gave no answer: {error}") from None
        except (JoseError, ValueError, LookupError) as error:
            text = "The login did not end with an ID token: "
            raise RedemptionFailed(f"{text}{type(error).__name__}: {error}") from None

    def _log_in(
        self,
        application: Dict[str, str],
        form: Optional[Dict[str, str]],
        parameters: Dict[str, Any],
    ) -> Dict[str, Any]:
        issuer, web = self._issuer(application), self._client(application)
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        address, state = web.create_authorization_url(
            issuer + "authorize",
            code_verifier=verifier,
            nonce=nonce,
            response_mode="query",
            **parameters,
        )
        answer = self._get(self._pushed(application, address))
        if form is not None and not answer.is_redirect:
            query = urlsplit(address).query
            answer = self._send("POST", f"{issuer}u/login?{query}", data=form)
            answer = self._get(issuer.rstrip("/") + answer.headers.get("Location", "/"))
        callback = self._callback(answer, web.redirect_uri)
        token = web.fetch_token(
            issuer + "oauth/token",
            authorization_response=callback,
            state=state,
            code_verifier=verifier,
            timeout=TIMEOUT,
            headers=self._headers(),
        )
        return self._verified(token["id_token"], issuer, web.client_id, nonce)

    def _client(self, application: Dict[str, str]) -> OAuth2Session:
        web, client_id = self.session, application["client_id"]
        web.client_id, web.client_secret = client_id, application["client_secret"]
        callbacks = self._tenant.settings[client_id].get("callbacks")
        web.redirect_uri = next(iter(callbacks or ()), "https://shop.example.com/none")
        web.code_challenge_method = "S256"
        web.token_endpoint_auth_method = "client_secret_post"
        return web

    def _pushed(self, application: Dict[str, str], address: str) -> str:
        """Return where to send the browser, after a push if one is due (RFC 9126)."""
        client_id = application["client_id"]
        setting = "require_pushed_authorization_requests"
        if self._tenant.settings[client_id].get(setting) is not True:
            return address
        form = dict(parse_qsl(urlsplit(address).query), **application)
        endpoint = self._issuer(application) + "oauth/par"
        uri = self._send("POST", endpoint, data=form).json()["request_uri"]
        query = urlencode({"client_id": client_id, "request_uri": uri})
        return f"{address.partition('?')[0]}?{query}"

    def _callback(self, answer: Any, redirect_uri: str) -> str:
        """Return the callback URL that the browser is sent to.

        Raises:
            RedemptionFailed: the browser shows a page, or the application got an error.
        """
        callback = str(answer.headers.get("Location", ""))
        rule = answer.headers.get(RULE_HEADER)
        if not callback.startswith(redirect_uri):
            page, reason = "login", "The browser shows the login page."
            if not answer.ok:
                page = "error"
                reason = f"The tenant answered HTTP {answer.status_code}."
            reason = answer.headers.get(REASON_HEADER, reason)
            raise RedemptionFailed(reason, page=page, rule=rule)
        told: Dict[str, str] = dict(parse_qsl(urlsplit(callback).query))
        if "error" in told:
            reason = told.get("error_description", told["error"])
            raise RedemptionFailed(reason, told["error"], rule=rule)
        return callback

    def _verified(
        self, id_token: str, issuer: str, client_id: str, nonce: str
    ) -> Dict[str, Any]:
        keys = self._get(issuer + ".well-known/jwks.json").json()
        decoded = jwt.decode(id_token, KeySet.import_key_set(keys), ["RS256", "PS256"])
        expected = {"iss": issuer, "aud": client_id, "nonce": nonce}
        options: Any = {k: {"essential": True, "value": v} for k, v in expected.items()}
        now = int(self._tenant.clock())
        jwt.JWTClaimsRegistry(now=now, **options).validate(decoded.claims)
        claims: Dict[str, Any] = decoded.claims
        return claims

    def _issuer(self, application: Dict[str, str]) -> str:
        domain = application["domain"]
        return (domain if "://" in domain else "https://" + domain) + "/"

    def _get(self, url: str) -> Any:
        return self._send("GET", url)

    def _headers(self) -> Dict[str, str]:
        return {ADDRESS_HEADER: f"{self._tenant.address_secret} {self.ip}"}

    def _send(self, method: str, url: str, **kwargs: Any) -> Any:
        return self.session.request(
            method,
            url,
            headers=self._headers(),
            withhold_token=True,
            allow_redirects=False,
            timeout=TIMEOUT,
            **kwargs,
        )
