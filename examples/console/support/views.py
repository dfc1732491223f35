"""The pages of the console: sign in, pick a customer, give a reason, be sent over."""

from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from joserfc.errors import JoseError
from requests.exceptions import RequestException

from auth0_stt import (
    REDIRECT_HEADERS,
    SessionTransferError,
    build_logout_url,
    build_session_transfer_redirect,
    request_session_transfer_token,
)

from .auth0 import oauth, resolve_actor
from .client_ip import client_ip
from .forms import EntryForm
from .models import Agent, Customer, Entry
from .sign_subject import sign_subject


@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    callback_url = request.build_absolute_uri(reverse("support:callback"))
    try:
        response: HttpResponse = oauth.auth0.authorize_redirect(request, callback_url)
    except RequestException:
        return no_answer(request)
    return response


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    try:
        token = oauth.auth0.authorize_access_token(request)
        if "userinfo" not in token:
            raise OAuthError("no_id_token", "The tenant sent no ID token.")
    except (RequestException, ValueError):  # no answer, or not JSON
        return no_answer(request)
    except (OAuthError, JoseError) as error:
        message = f"The sign-in failed: {error.description or error.error}"
        return not_possible(request, message, sign_in_hint(request, error), status=400)
    agent = Agent.objects.filter(sub=token["userinfo"]["sub"], user__is_active=True)
    if not agent:
        # Anybody with an account at the tenant can get this far, customers included.
        return not_possible(request, "This account is not an agent's.", status=403)
    # Named, since a project may have several: LDAP, for example.
    login(request, agent[0].user, "django.contrib.auth.backends.ModelBackend")
    request.session["id_token"] = token["id_token"]
    request.session["refresh_token"] = token.get("refresh_token")
    return redirect("support:customers")


def no_answer(request: HttpRequest) -> HttpResponse:
    message = f"The sign-in failed: no usable answer from {settings.AUTH0['domain']}."
    hint = "Check the domain in settings.AUTH0, and whether the tenant is running."
    return not_possible(request, message, hint, status=502)


def sign_in_hint(request: HttpRequest, error: OAuthError | JoseError) -> str | None:
    """Return what to change after a failed sign-in."""
    if "error" in request.GET:  # The tenant has said why.
        return None
    if isinstance(error, JoseError):
        return (
            "The ID token is not valid: check that the application signs it with "
            "RS256, the domain in settings.AUTH0, and this machine's clock."
        )
    if error.error == "mismatching_state":
        return (
            "Sign in again. If that does not help, the browser does not send the "
            "cookie back: over http, settings.SESSION_COOKIE_SECURE must be False."
        )
    if error.error == "no_id_token":
        return "Sign in again. If that does not help, check the scope: it needs openid."
    return "Check client_id and client_secret in settings.AUTH0."


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    auth0 = settings.AUTH0
    home = request.build_absolute_uri(reverse("support:customers"))
    return redirect(
        build_logout_url(auth0["domain"], client_id=auth0["client_id"], return_to=home)
    )


@require_GET
@login_required(login_url="support:sign_in")
def customers(request: HttpRequest) -> HttpResponse:
    # What the agent had filled in before they had to sign in again.
    interrupted = request.session.pop("interrupted", {})
    customer = Customer.objects.filter(id=interrupted.get("customer")).first()
    return customers_page(request, customer, EntryForm(initial=interrupted))


@require_POST
@login_required(login_url="support:sign_in")
@permission_required("support.enter_customer", raise_exception=True)
def sign_in_as(request: HttpRequest, customer_id: str) -> HttpResponse:
    """Send the agent's browser to the shop, as the customer."""
    customer = get_object_or_404(Customer, id=customer_id)
    form = EntryForm(request.POST)
    if not form.is_valid():
        return customers_page(request, customer, form)
    entry = Entry.objects.create(
        agent=request.user,
        customer=customer,
        reason=form.cleaned_data["reason"],
        ip=client_ip(request),
    )
    try:
        actor = resolve_actor(request)
        stt = request_session_transfer_token(
            **settings.AUTH0,  # domain, client_id, client_secret
            subject_token=sign_subject(customer.id),
            subject_token_type=settings.SUBJECT_TOKEN_TYPE,
            actor_token=actor.actor_token,
            actor_token_type=actor.actor_token_type,
            reason=entry.reason,
            forwarded_for=entry.ip,
        )
    except SessionTransferError as error:
        entry.close(error.code)
        if error.code in ("actor_unavailable", "mfa_required"):
            interrupted = {"customer": customer.id, **form.cleaned_data}
            request.session["interrupted"] = interrupted
            return redirect("support:sign_in")
        status = 503 if error.retryable else 502
        return not_possible(request, str(error), error.hint, status=status)
    entry.close("issued")
    url = build_session_transfer_redirect(login_url(form.cleaned_data["page"]), stt)
    # 303: the browser must not repeat the POST.
    return HttpResponseRedirect(url, status=303, headers=REDIRECT_HEADERS)


def login_url(page: str) -> str:
    """Return the shop's login URL, with the page to show after it."""
    return settings.SHOP_LOGIN_URL + ("?" + urlencode({"next": page}) if page else "")


def customers_page(
    request: HttpRequest,
    customer: Customer | None,
    form: EntryForm,
) -> HttpResponse:
    """Show the customers, and the form of one of them as it was filled in."""
    context = {"customers": Customer.objects.all(), "chosen": customer, "form": form}
    status = 400 if form.is_bound else 200
    return render(request, "support/customers.html", context, status=status)


def not_possible(
    request: HttpRequest, message: str, hint: str | None = None, *, status: int
) -> HttpResponse:
    context = {"message": message, "hint": hint}
    return render(request, "support/not_possible.html", context, status=status)
