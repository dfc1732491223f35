"""The tenant's HTTP side: /authorize, /oauth/token and what belongs to them."""

import base64
import json
from typing import TYPE_CHECKING, Any, Dict, Optional
from urllib.parse import urlencode

from authlib.integrations.flask_oauth2 import ResourceProtector, current_token
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import UnsupportedResponseTypeError
from flask import Flask, Response, g, request

from .action import Refusal
from .clients import Client
from .delegation import PageInstead, checked_organization, delegated_session
from .discovery import key_set, metadata
from .exchange import CREDENTIALS, TOKEN_EXCHANGE, form_without
from .grants import UserinfoTokens, authorization_server, profile
from .pages import error_page, logged_out_page, login_page
from .records import Session

if TYPE_CHECKING:
    from .tenant import LocalTenant

# Types of Auth0's tenant logs: a success, a failure.
LOG_TYPES = {
    TOKEN_EXCHANGE: ("secte", "fecte"),
    "authorization_code": ("seacft", "feacft"),
    "refresh_token": ("sertft", "fertft"),
}
DELEGATED_LOG_TYPES = ("sdeleacft", "fdeleacft")
# No log holds a token.
NOT_LOGGED = {
    *CREDENTIALS,
    "subject_token",
    "actor_token",
    "refresh_token",
    "code",
    "code_verifier",
}
# What a token request has at most once (RFC 6749, 3.2); other fields, for the Action, may repeat.
ONCE = {
    *NOT_LOGGED,
    *("grant_type", "client_id", "audience", "scope", "organization", "redirect_uri"),
    *("subject_token_type", "actor_token_type", "requested_token_type", "resource"),
}
SESSION_LIFETIME = 3 * 24 * 60 * 60


def tenant_app(tenant: "LocalTenant") -> Flask:
    """Return the application that answers for the tenant."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    server = authorization_server(tenant, app)
    protected = ResourceProtector()
    protected.register_token_validator(UserinfoTokens(tenant))

    @app.before_request
    def own_domains_only() -> Optional[Response]:
        if request.host in tenant.hosts():
            return None
        return Response("This tenant does not serve the domain of the request.", 421)

    @app.after_request
    def leave_no_trace(response: Response) -> Response:
        # A session transfer token is in the URL of /authorize.
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @app.post("/oauth/token")
    def token() -> Response:
        flaw = _flaw_of_token_request()
        response: Response
        if flaw is not None:
            response = server.handle_error_response(None, flaw)
        else:
            response = server.create_token_response()
        _log_token_response(tenant, response)
        return response

    @app.get("/authorize")
    def authorize() -> Response:
        session = _open_session(tenant)
        try:
            if any(len(values) > 1 for _, values in request.args.lists()):
                raise Refusal("invalid_request", "A parameter occurs more than once.")
            grant = server.get_consent_grant(end_user=session)
        except UnsupportedResponseTypeError as error:
            # Authlib has a whole sentence in place of the parameter.
            error.response_type = request.args.get("response_type")
            return _refused(tenant, error)
        except OAuth2Error as error:
            return _refused(tenant, error)
        except ValueError:
            # Authlib's messages quote what its errors then refuse to print.
            return error_page("A parameter has characters that it must not have.")
        try:
            return _authorized(grant, session)
        except OAuth2Error as error:
            error.redirect_uri, error.state = (
                grant.redirect_uri,
                request.args.get("state"),
            )
            return _refused(tenant, error, grant.client)

    def _authorized(grant: Any, session: Optional[Session]) -> Response:
        client, query = grant.client, request.args
        if query.get("response_mode", "query") != "query":
            raise Refusal("invalid_request", "The only response_mode here is query.")
        if "audience" in query and query["audience"] not in tenant.resource_servers:
            raise Refusal(
                "access_denied", "Service not found: {}".format(query["audience"])
            )
        if "session_transfer_token" in query:
            return _delegated(grant, session)
        prompt = query.get("prompt", "").split()
        if session is None or "login" in prompt:
            if "none" in prompt:
                raise Refusal("login_required", "Login required")
            return login_page(
                urlencode(query), client.setting("name"), tenant.users.values()
            )
        user = tenant.users[session.user_id]
        org_id = checked_organization(tenant, client, query.get("organization"), user)
        return _code(grant, session.within(org_id))

    def _delegated(grant: Any, session: Optional[Session]) -> Response:
        client, ip = grant.client, tenant.address()
        try:
            new = delegated_session(
                tenant, client, request.args, tenant.issuer(), ip, session
            )
        except PageInstead as instead:
            tenant.log("w", instead.reason, client_id=client.client_id)
            if instead.page == "error":
                return error_page(instead.reason, log_out=session is not None)
            query = {
                k: v for k, v in request.args.items() if k != "session_transfer_token"
            }
            users, name = tenant.users.values(), client.setting("name")
            return login_page(urlencode(query), name, users, instead.reason)
        text = "{} is logged in as {}".format((new.actor or {})["sub"], new.user_id)
        tenant.log("sdel", text, client_id=client.client_id, user_id=new.user_id)
        return _with_cookie(_code(grant, new), new)

    def _code(grant: Any, session: Session) -> Response:
        response: Response = server.create_authorization_response(
            grant_user=session, grant=grant
        )
        return response

    def _with_cookie(response: Response, session: Session) -> Response:
        tenant.records.sessions[session.id] = session
        # No Max-Age: it ends with the browser.
        response.set_cookie(
            tenant.cookie,
            session.id,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
        return response

    @app.post("/u/login")
    def login() -> Response:
        name = request.form.get("username", "").strip()
        user = next(
            (u for u in tenant.users.values() if name in (u["email"], u["user_id"])),
            None,
        )
        query = {k: v for k, v in request.args.items() if k != "prompt"}
        client = tenant.client(query.get("client_id", ""))
        if client is None:
            return error_page("The login page was left without its query.")
        if (
            user is None
            or user.get("blocked")
            or user["password"] != request.form.get("password")
        ):
            tenant.log("fp", "Wrong email or password", client_id=client.client_id)
            users, problem = tenant.users.values(), "Wrong email or password"
            return login_page(
                urlencode(query), client.setting("name"), users, problem=problem
            )
        session = tenant.new_session(user["user_id"], tenant.issuer(), SESSION_LIFETIME)
        tenant.log("s", "Login", client_id=client.client_id, user_id=session.user_id)
        return _with_cookie(_redirect("/authorize?" + urlencode(query)), session)

    @app.get("/v2/logout")
    def logout() -> Response:
        session = _open_session(tenant)
        if session is not None:
            tenant.records.sessions.pop(session.id, None)
            tenant.log("slo", "Logout", user_id=session.user_id)
        client = tenant.client(request.args.get("client_id", ""))
        settings = client.settings if client is not None else tenant.settings["tenant"]
        target = request.args.get("returnTo")
        if target is None:
            response = logged_out_page()
        elif target in (settings.get("allowed_logout_urls") or []):
            response = _redirect(target)
        else:
            response = error_page(
                "The returnTo URL is not among the allowed_logout_urls."
            )
        response.delete_cookie(tenant.cookie)
        return response

    @app.route("/userinfo", methods=["GET", "POST"])
    @protected("openid")  # type: ignore[untyped-decorator]
    def userinfo() -> Any:
        claims = current_token.claims
        user = tenant.users.get(claims["sub"])
        return (
            ({"error": "unauthorized"}, 401)
            if user is None
            else profile(user, claims["scope"])
        )

    @app.get("/.well-known/jwks.json")
    def jwks() -> Any:
        return key_set()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Any:
        return metadata(tenant.issuer(), list(LOG_TYPES))

    return app


def _flaw_of_token_request() -> Optional[Refusal]:
    if request.args or any(
        len(values) > 1 and name in ONCE for name, values in request.form.lists()
    ):
        return Refusal(
            "invalid_request", "A parameter is in the URL or occurs more than once."
        )
    proofs = [
        name for name in ("client_secret", "client_assertion") if name in request.form
    ]
    if len(proofs) + ("Authorization" in request.headers) > 1:
        return Refusal(
            "invalid_request", "The client authenticates in more than one way."
        )
    return None


def _log_token_response(tenant: "LocalTenant", response: Response) -> None:
    answer: Dict[str, Any] = response.get_json()
    types = LOG_TYPES.get(request.form.get("grant_type", ""), ("seacft", "feacft"))
    code = tenant.records.codes.get(request.form.get("code", ""))
    if code is not None and code.session.actor is not None:
        types = DELEGATED_LOG_TYPES
    failed = response.status_code >= 400
    details: Dict[str, Any] = {
        "auth0_client": _auth0_client(request.headers.get("Auth0-Client")),
        "auth0_forwarded_for": request.headers.get("auth0-forwarded-for"),
        "body": form_without(NOT_LOGGED),
        "error": answer.get("error"),
        "traceback": g.get("traceback"),
    }
    tenant.log(
        types[1] if failed else types[0],
        answer.get("error_description") or answer.get("error") or "Success",
        client_id=g.get("client_id") or request.form.get("client_id"),
        user_id=code.session.user_id if code is not None else g.get("user_id"),
        details={name: value for name, value in details.items() if value is not None},
    )


def _auth0_client(header: Optional[str]) -> Any:
    """Return the JSON in the header that every Auth0 SDK sends, the bare text if it has none."""
    if header is None:
        return None
    try:
        return json.loads(
            base64.urlsafe_b64decode(header.replace("+", "-").replace("/", "_"))
        )
    except ValueError:
        return header


def _open_session(tenant: "LocalTenant") -> Optional[Session]:
    session = tenant.records.sessions.get(request.cookies.get(tenant.cookie, ""))
    if (
        session is None
        or session.issuer != tenant.issuer()
        or session.expires_at <= tenant.clock()
    ):
        return None
    return session if tenant.active_user(session.user_id) is not None else None


def _refused(
    tenant: "LocalTenant", error: OAuth2Error, client: Optional[Client] = None
) -> Response:
    """Return an OAuth error to the application, or to the browser where that is not safe."""
    reason = error.get_error_description() or error.error
    tenant.log(
        "f",
        reason,
        client_id=client and client.client_id,
        details={"error": error.error},
    )
    if not error.redirect_uri:
        return error_page(reason)
    _, _, headers = error()
    return Response(status=302, headers=headers)


def _redirect(location: str) -> Response:
    return Response(status=302, headers={"Location": location})
