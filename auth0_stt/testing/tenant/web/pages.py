"""The pages that a browser sees: to log in, after an error, after the logout."""

from typing import Any, Dict, Optional

from flask import Response, make_response, render_template

from ..origin import REASON_HEADER, RULE_HEADER
from ..records import Session
from .origin import state


def login_page(
    query: str,
    application: str,
    users: Any,
    reason: str = "",
    problem: str = "",
    hint: str = "",
) -> Response:
    """Return the login page; it posts back to /u/login with the query of /authorize."""
    status = 401 if problem else 200
    content: Dict[str, Any] = {
        "query": query,
        "application": application,
        "users": users,
    }
    content.update(problem=problem, hint=hint)
    return _page("login", "Log in", reason, status, **content)


def error_page(reason: str, log_out: bool = False) -> Response:
    """Return the page for an error that no application is told of."""
    message = "Something went wrong."
    if log_out:
        message = "You are already logged in. Log out before you enter another account."
    return _page("error", "Oops!", reason, 400, message=message, log_out=log_out)


def logged_out_page() -> Response:
    """Return the page that follows a log-out which leads nowhere else."""
    return _page("logged_out", "Logged out", "", 200)


def form_post_page(redirect_uri: str, answer: Dict[str, str]) -> Response:
    """Return the page that posts an answer to the application's callback."""
    more = {"redirect_uri": redirect_uri, "answer": answer}
    return _page("form_post", "Back to the application", "", 200, **more)


def with_rule(response: Response, rule: Optional[str]) -> Response:
    """Return the response, which names the rule that said no."""
    if rule is not None:
        response.headers[RULE_HEADER] = rule
    return response


def redirect(location: str) -> Response:
    """Return a redirect, the location as it is."""
    return Response(status=302, headers={"Location": location})


def with_cookie(response: Response, session: Session) -> Response:
    """Return the response, which opens the session in the browser."""
    tenant = state()
    tenant.records.sessions[session.id] = session
    # No Max-Age: it ends with the browser.
    response.set_cookie(
        tenant.cookie,
        session.id,
        httponly=True,
        samesite="Lax",
        secure=tenant.scheme == "https",
    )
    return response


def _page(template: str, title: str, reason: str, status: int, **more: Any) -> Response:
    text = render_template(
        f"tenant/{template}.html", title=title, reason=reason, **more
    )
    response = make_response(text, status)
    if reason:
        printable = "".join(char if char.isprintable() else "?" for char in reason)
        response.headers[REASON_HEADER] = printable.encode("ascii", "replace").decode()
    return response
