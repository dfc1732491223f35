"""/authorize: ordinary and delegated logins."""

from typing import Any, Dict, Optional
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import UnsupportedResponseTypeError
from flask import Blueprint, Response

from ..clients import Client
from ..login import check_request, session_for
from ..records import Session
from ..redeem import delegated_session
from ..refusal import PageInstead, Refusal
from .oauth import oauth_error, server
from .origin import open_session, origin, query, repeated, state
from .pages import error_page, login_page, with_cookie

routes = Blueprint("authorize", __name__)


@routes.get("/authorize")
def authorize() -> Response:
    try:
        grant = _validated()
    except OAuth2Error as error:
        return _told(error)
    except ValueError:
        # Authlib's messages quote what its errors then refuse to print.
        return error_page("A parameter has characters that it must not have.")
    session = open_session()
    try:
        return _logged_in(grant, session)
    except Refusal as refusal:
        told = oauth_error(refusal)
        told.redirect_uri, told.state = grant.redirect_uri, query().get("state")
        return _told(told, grant.client)
    except PageInstead as instead:
        return _page(instead, grant.client, session)


def _validated() -> Any:
    """Return Authlib's grant for the request, which it has checked."""
    if repeated("query"):
        text = "A parameter occurs more than once."
        raise oauth_error(Refusal("invalid_request", text))
    try:
        return server().get_consent_grant(end_user=open_session())
    except UnsupportedResponseTypeError as error:
        # Authlib has a whole sentence in place of the parameter.
        error.response_type = query().get("response_type")
        raise


def _logged_in(grant: Any, session: Optional[Session]) -> Response:
    check_request(state(), query())
    if "session_transfer_token" in query():
        return _delegated(grant, session)
    return _code(grant, session_for(state(), grant.client, query(), session))


def _delegated(grant: Any, session: Optional[Session]) -> Response:
    client_id = grant.client.client_id
    new = delegated_session(state(), grant.client, query(), origin(), session)
    text = "{} is logged in as {}".format((new.actor or {})["sub"], new.user_id)
    state().log("sdel", text, origin(), client_id=client_id, user_id=new.user_id)
    return with_cookie(_code(grant, new), new)


def _code(grant: Any, session: Session) -> Response:
    response: Response = server().create_authorization_response(
        grant_user=session, grant=grant
    )
    return response


def _page(instead: PageInstead, client: Client, session: Optional[Session]) -> Response:
    if instead.reason:
        state().log("w", instead.reason, origin(), client_id=client.client_id)
    if instead.page == "error":
        return error_page(instead.reason, log_out=session is not None)
    left = {k: v for k, v in query().items() if k != "session_transfer_token"}
    users, name = state().users.values(), client.setting("name")
    return login_page(urlencode(left), name, users, instead.reason)


def _told(error: OAuth2Error, client: Optional[Client] = None) -> Response:
    """Return an OAuth error to the application, or to the browser where that is not safe."""
    reason = error.get_error_description() or error.error
    details: Dict[str, Any] = {"error": error.error}
    client_id = client.client_id if client is not None else None
    state().log("f", reason, origin(), client_id=client_id, details=details)
    if not error.redirect_uri:
        return error_page(reason)
    _, _, headers = error()
    return Response(status=302, headers=headers)
