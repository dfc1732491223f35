"""What both applications refuse, and the headers that they send."""

import hmac

from flask import Flask, Response, abort, request

from .state import Visitor


def guard(app: Flask, visitor: Visitor, *form_targets: str) -> None:
    """Let no other site click, frame or read the application's pages.

    ``form_targets`` are the origins that its forms may lead to, redirects included.
    """
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
    policy = " ".join([policy, *form_targets])

    app.jinja_env.globals["form_token"] = visitor.form_token

    @app.before_request
    def only_own_forms() -> None:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return
        # "none": the browser repeats a form, for example after a crash.
        site = request.headers.get("Sec-Fetch-Site", "none")
        token = request.form.get("token", "")
        known = hmac.compare_digest(token.encode(), visitor.form_token.encode())
        if site != "same-origin" and not (site == "none" and known):
            abort(403)

    @app.after_request
    def private(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers["Content-Security-Policy"] = policy
        headers["X-Frame-Options"] = "DENY"
        headers["X-Content-Type-Options"] = "nosniff"
        return response
