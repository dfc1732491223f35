"""A support console in Django: an agent signs in, picks a customer, gives a reason, is sent over."""

import functools

from authlib.integrations.base_client import OAuthError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_POST

from auth0_stt import (
    REDIRECT_HEADERS,
    SessionTransferError,
    build_session_transfer_redirect,
    request_session_transfer_token,
    resolve_actor_token,
)

# offline_access: a refresh token keeps the agent's ID token fresh.
SIGN_IN = {
    "scope": "openid profile email offline_access",
    "code_challenge_method": "S256",
}

oauth = OAuth()
oauth.register(
    "auth0", server_metadata_url=settings.AUTH0_METADATA, client_kwargs=SIGN_IN
)


def signed_in(view):
    @functools.wraps(view)
    def guarded(request, *args, **kwargs):
        if "agent" not in request.session:
            return redirect("sign_in")
        return view(request, *args, **kwargs)

    return guarded


@require_GET
def sign_in(request):
    return oauth.auth0.authorize_redirect(
        request, request.build_absolute_uri(reverse("callback"))
    )


@require_GET
def callback(request):
    try:
        token = oauth.auth0.authorize_access_token(request)
    except OAuthError as error:
        return refused(request, str(error), None, 400)
    request.session.cycle_key()  # whoever knew the old one is not signed in by it
    agent = {"sub": token["userinfo"]["sub"], "name": token["userinfo"]["name"]}
    remember(request, token["id_token"], token.get("refresh_token"), agent=agent)
    return redirect("customers")


@require_GET
@signed_in
def customers(request):
    return render(request, "customers.html", {"customers": settings.CUSTOMERS})


@require_POST
@signed_in
def sign_in_as(request, customer_id):
    """Mint a token for the customer and send the agent's browser to the shop with it."""
    reason = request.POST.get("reason", "").strip()
    if customer_id not in settings.CUSTOMERS or not reason:
        return refused(request, "Pick a customer and give a reason.", None, 400)
    try:
        actor = resolve_actor_token(
            **settings.AUTH0,  # domain, client_id, client_secret
            id_token=request.session["id_token"],
            refresh_token=request.session["refresh_token"],
        )
        if actor.refreshed:
            remember(request, actor.actor_token, actor.refresh_token)
        stt = request_session_transfer_token(
            **settings.AUTH0,
            subject_token=settings.SIGN_SUBJECT(customer_id),
            subject_token_type=settings.SUBJECT_TOKEN_TYPE,
            actor_token=actor.actor_token,
            actor_token_type=actor.actor_token_type,
            reason=reason,
            forwarded_for=request.META["REMOTE_ADDR"],
        )
    except SessionTransferError as error:
        if error.code in ("actor_unavailable", "mfa_required"):
            return redirect("sign_in")
        return refused(request, str(error), error.hint, 503 if error.retryable else 502)
    url = build_session_transfer_redirect(settings.SHOP_LOGIN_URL, stt)
    # 303: the browser must not repeat the POST at the shop.
    return HttpResponseRedirect(url, status=303, headers=REDIRECT_HEADERS)


def remember(request, id_token, refresh_token, **more):
    request.session.update(
        {"id_token": id_token, "refresh_token": refresh_token, **more}
    )
    # At once: Django saves no session when the answer is a 5xx, and the old refresh token is gone.
    request.session.save()


def refused(request, message, hint, status):
    return render(
        request, "refused.html", {"message": message, "hint": hint}, status=status
    )


urlpatterns = [
    path("", customers, name="customers"),
    path("sign-in", sign_in, name="sign_in"),
    path("callback", callback, name="callback"),
    path("customers/<customer_id>/sign-in-as", sign_in_as, name="sign_in_as"),
]
