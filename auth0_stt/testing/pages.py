"""The pages that a browser sees: the login page, the error page, the page after logging out."""

from typing import Any

from flask import Response, make_response, render_template_string

# Says in words why the page came, which Auth0's own pages do not.
REASON_HEADER = "Local-Tenant-Reason"

_LAYOUT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; padding: 1rem;
       background: #f3f4f7; color: #1c1f26; }
main { max-width: 24rem; margin: 8vh auto 0; padding: 1.5rem; border-radius: .75rem;
       background: #fff; border: 1px solid #d4d8e0; }
h1 { font-size: 1.4rem; line-height: 1.2; margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin-top: 1rem; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem;
        border: 1px solid #6b7280; border-radius: .375rem; background: inherit; color: inherit; }
button, .button { display: inline-block; font: inherit; font-weight: 600; margin-top: 1.25rem;
        padding: .5rem 1rem; border: 0; border-radius: .375rem; background: #1d4ed8; color: #fff;
        text-decoration: none; cursor: pointer; }
.reason { margin: 1.5rem 0 0; padding: .75rem; border-left: 4px solid #b45309;
          background: #fef6e7; color: #4a2c03; overflow-wrap: anywhere; }
.hint { color: #4b5563; font-size: .9rem; }
:focus-visible { outline: 3px solid #60a5fa; outline-offset: 2px; }
@media (prefers-color-scheme: dark) {
  body { background: #12151b; color: #e8eaf0; }
  main { background: #1b2029; border-color: #3a4150; }
  .hint { color: #b3bac7; }
}
</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{{ content }}
{% if reason %}<p class="reason" role="status"><strong>Why this page?</strong> {{ reason }}
<br><small>Only the local tenant says so; Auth0 does not.</small></p>{% endif %}
</main>
</body>
</html>
"""

_LOGIN = """{% if problem %}<p role="alert">{{ problem }}</p>{% endif %}
<p>to continue to {{ application }}</p>
<form method="post" action="/u/login?{{ query }}">
<label for="username">Email address</label>
<input id="username" name="username" autocomplete="username" list="users" required autofocus>
<datalist id="users">{% for user in users %}<option value="{{ user.email }}">{{ user.name }}
</option>{% endfor %}</datalist>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Continue</button>
</form>
<p class="hint">Users of this tenant: {{ users|map(attribute="email")|join(", ") }}.
Everyone's password is &ldquo;password&rdquo; unless a test changed it.</p>"""

_ERROR = """<p>{{ message }}</p>
{% if log_out %}<a class="button" href="/v2/logout">Log out</a>{% endif %}"""


def login_page(
    query: str, application: str, users: Any, reason: str = "", problem: str = ""
) -> Response:
    """Return the login page; it posts back to /u/login with the query of /authorize."""
    content = {
        "query": query,
        "application": application,
        "users": users,
        "problem": problem,
    }
    return _page("Log in", _LOGIN, content, reason, 401 if problem else 200)


def error_page(reason: str, log_out: bool = False) -> Response:
    """Return the page for an error that no application is told of."""
    message = "Something went wrong."
    if log_out:
        message = "You are already logged in. Log out before you enter another account."
    return _page("Oops!", _ERROR, {"message": message, "log_out": log_out}, reason, 400)


def logged_out_page() -> Response:
    """Return the page that follows a log-out which leads nowhere else."""
    return _page("Logged out", "<p>You have no session here any more.</p>", {}, "", 200)


def _page(
    title: str, template: str, content: Any, reason: str, status: int
) -> Response:
    inner = render_template_string(
        "{% autoescape true %}" + template + "{% endautoescape %}", **content
    )
    page = render_template_string(
        "{% autoescape true %}"
        + _LAYOUT.replace("{{ content }}", "{{ content|safe }}")
        + "{% endautoescape %}",
        title=title,
        content=inner,
        reason=reason,
    )
    response = make_response(page, status)
    if reason:
        printable = "".join(char if char.isprintable() else "?" for char in reason)
        response.headers[REASON_HEADER] = printable.encode("ascii", "replace").decode()
    return response
