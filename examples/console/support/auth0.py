"""The agent's own sign-in, and the tokens that it leaves in the session."""

from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import HttpRequest

from auth0_stt import ActorToken, resolve_actor_token

oauth = OAuth()
oauth.register(
    "auth0",
    client_id=settings.AUTH0["client_id"],
    client_secret=settings.AUTH0["client_secret"],
    server_metadata_url=settings.AUTH0_METADATA_URL,
    client_kwargs={
        # offline_access: a refresh token, to renew the ID token while the console is
        # open.
        "scope": "openid profile email offline_access",
        "code_challenge_method": "S256",
        "default_timeout": 10,  # seconds; without it, Authlib waits forever
    },
)


def resolve_actor(request: HttpRequest) -> ActorToken:
    """Return the agent's token, renewed if it is stale."""
    actor = resolve_actor_token(
        **settings.AUTH0,
        id_token=request.session.get("id_token"),
        refresh_token=request.session.get("refresh_token"),
    )
    if actor.refreshed:
        request.session["id_token"] = actor.actor_token
        request.session["refresh_token"] = actor.refresh_token
        # Now: Django saves no session after a 5xx, and the old refresh token may be
        # void.
        request.session.save()
    return actor
