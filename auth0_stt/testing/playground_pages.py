"""The playground's pages."""

from typing import Dict, Tuple

from flask import render_template_string

_TOP = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
"""

_CONSOLE = (
    _TOP
    + """<title>{{ title }} \u00b7 Session delegation playground</title>
</head>
<body>
<header class="top"><div><strong>Support console</strong>
<nav aria-label="Playground"><a href="/">Console</a> \u00b7 <a href="/trail">Every hop</a></nav></div></header>
"""
)

HOME = (
    "{% set title = 'Console' %}"
    + _CONSOLE
    + """<main>
<h1>See what your customer sees, as yourself</h1>
<p>You are <strong>{{ agent.name }}</strong> of the support team, signed in to this console. Pick a customer and
enter their account: no password of theirs, and your own name on everything. Tenant, console and shop all run on
this machine, and say what Auth0 would keep to itself.</p>
{% if open_sessions %}<div class="note" role="status"><p><strong>This browser has a session on the shop\u2019s
domain</strong>, as {{ open_sessions|join(", ") }}. The next delegated login fails until it is closed.</p>
<p><a class="button" href="{{ shop_url }}logout">Log out of the shop</a></p></div>{% endif %}
<form method="post" action="/enter">
<fieldset><legend>Whose account?</legend><div class="pick">
{% for customer, why in customers %}<label class="card"><input type="radio" name="customer" required
value="{{ customer.user_id }}"{{ " checked" if loop.first }}><span><b>{{ customer.name }}</b>
<small>{{ why }}</small></span></label>{% endfor %}
</div></fieldset>
<div class="field"><label for="reason">Why?</label>
<input type="text" id="reason" name="reason" value="TICKET-4711" maxlength="200" autocomplete="off" required></div>
<h2 id="wrong">What goes wrong?</h2>
<p class="soft">Nothing, unless you switch it on. Each of these has cost somebody an afternoon, since most of them
fail without an error. The words are those of Auth0\u2019s settings.</p>
<div class="groups">
{% for group in groups %}<fieldset class="card"><legend>{{ group.title }}</legend>
{% for switch in group.switches %}<label class="switch"><input type="checkbox" role="switch" name="switch"
value="{{ switch.key }}"{{ " checked" if switch.key in on }}><span>{{ switch.label }}</span></label>
{% endfor %}</fieldset>
{% endfor %}</div>
<div class="go"><button>Enter the account</button>
<p class="calm soft">Everything is set up as it should be.</p>
<p class="wrong">Something will go wrong. <a href="/?reset">Put all in order</a></p></div>
</form>
</main>
</body>
</html>
"""
)

REFUSED = (
    "{% set title = 'Not possible' %}"
    + _CONSOLE
    + """<main>
<h1>That did not work</h1>
<div class="note bad" role="alert"><h2><code>{{ error.code }}</code></h2><p>{{ error }}</p>
{% if error.hint %}<p><strong>Hint:</strong> {{ error.hint }}</p>{% endif %}</div>
<p>This is what the library raises, and what a console can show: a code for the program, a sentence for the log, a
hint for whoever can mend it.</p>
<p class="actions"><a class="button" href="/trail">See every hop, and why</a>
<a class="button quiet" href="/">Back to the console</a></p>
</main>
</body>
</html>
"""
)

# What became of the click, by the outcome's kind: what to call it, and what the agent sees.
VERDICTS: Dict[str, Tuple[str, str]] = {
    "none": (
        "Nothing has arrived yet",
        "The hops appear here once somebody has entered an account.",
    ),
    "entered": (
        "The agent is in",
        "The shop shows the account, and a banner says who is really there.",
    ),
    "customer": (
        "An ordinary login",
        "Somebody logged in with a password of their own: no agent, no banner.",
    ),
    "console": (
        "The console got no token",
        "The agent\u2019s browser never left the console, which shows the error.",
    ),
    "login": (
        "A login page, and no word why",
        "The agent sees the tenant\u2019s ordinary login page. No error.",
    ),
    "error": (
        "The tenant\u2019s error page",
        "The agent sees an error page; the shop hears nothing of it.",
    ),
    "told": (
        "The shop was refused",
        "The agent sees the shop\u2019s own page for a failed login.",
    ),
}

TRAIL = (
    "{% set title = 'Every hop' %}"
    + _CONSOLE
    + """<main>
<h1>Every hop, and what it carried</h1>
<div class="note {{ "good" if outcome and outcome.kind == "entered" else "bad" if outcome }}">
<h2>{{ verdict[0] }}</h2>
<p>{{ verdict[1] }}</p>
{% if outcome and outcome.reason %}<p><strong>Why:</strong> {{ outcome.reason }}</p>{% endif %}
{% if outcome and outcome.kind != "entered" and mend %}<p><strong>What to change:</strong></p>
<ul>{% for switch in mend %}<li>{{ switch.mend }}</li>{% endfor %}</ul>{% endif %}
</div>
<p class="actions"><a class="button" href="/">Enter an account</a>
{% if outcome and outcome.kind == "entered" %}<a class="button quiet" href="{{ shop_url }}account">Back to the shop</a>
{% endif %}<a class="button quiet" href="{{ shop_url }}logout">Log out of the shop</a></p>
{% if messages %}<h2>On the wire</h2>
<p class="soft">Each request and each answer, in order. Of tokens there are the first four characters.</p>
<ol class="trail">
{% for message in messages %}<li{{ ' class="failed"'|safe if message.failed }}><div class="card">
<p class="way"><span class="{{ message.sender }}">{{ message.sender }}</span> <span aria-hidden="true">\u2192</span>
<span class="hidden">to</span> <span class="{{ message.receiver }}">{{ message.receiver }}</span>
<code>{{ message.line }}</code></p>
{% if message.note %}<p class="why">{{ message.note }}</p>{% endif %}
{% if message.carried %}<dl>{% for name, value in message.carried %}<dt>{{ name }}</dt><dd>{{ value }}</dd>
{% endfor %}</dl>{% endif %}</div></li>
{% endfor %}</ol>{% endif %}
{% if logs %}<h2>In the tenant\u2019s logs</h2>
<div class="card"><table><thead><tr><th scope="col">Type</th><th scope="col">What happened</th></tr></thead><tbody>
{% for log in logs %}<tr><td><code>{{ log.type }}</code></td><td>{{ log.description }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
</main>
</body>
</html>
"""
)

SHOP = (
    _TOP
    + """<title>{{ user.name ~ "\u2019s account" if user else "Welcome" }} \u00b7 Shop</title>
</head>
<body>
{% if actor %}<aside class="banner" aria-label="Who is really there"><div><p><strong>{{ actor.name }}</strong> of the
support team is signed in as <strong>{{ user.name }}</strong>.</p><a href="/logout">Leave this account</a></div></aside>
{% endif %}<header class="top"><div><strong>Shop</strong>
<nav aria-label="Playground"><a href="{{ console_url }}trail">Every hop, and why</a></nav></div></header>
<main>
<h1>{{ "Hello, " ~ user.name if user else "Not signed in" }}</h1>
{% if problem %}<div class="note bad" role="alert"><p>{{ problem }}</p></div>{% endif %}
{% if notice %}<div class="note" role="status"><p>{{ notice }}</p></div>{% endif %}
{% if user %}<section class="card" aria-labelledby="cart"><h2 id="cart">Your cart</h2>
{% if order %}<p class="price"><span>{{ order[0] }}</span><span>{% if order[1] != order[2] %}
<span class="soft">on its page \u20ac{{ order[1] }}, here </span>{% endif %}<strong>\u20ac{{ order[2] }}</strong></span>
</p>{% endif %}</section>
<form method="post" action="/account/delete" class="actions"><button class="quiet">Delete this account</button>
<a class="button quiet" href="/logout">Log out</a></form>
{% else %}<p class="actions"><a class="button" href="{{ console_url }}trail">See every hop, and why</a>
<a class="button quiet" href="/login">Log in as a customer</a></p>{% endif %}
<p><a href="{{ console_url }}">Back to the support console</a></p>
</main>
</body>
</html>
"""
)


def trail_link(console_url: str) -> str:
    """Return what the tenant's own pages say at their end."""
    link = '<p><a href="{{ url }}trail">Playground: every hop, and why</a></p>'
    return render_template_string(link, url=console_url)
