"""What error trackers, tracers and documentation tools make of the package."""

import logging
import pydoc
import sys

import django
import processes
import pytest
import requests
import sentry_sdk
import truststore
from calls import mint
from django.conf import settings
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from faults import HOLD, REQUEST, FaultServer
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.scrubber import EventScrubber
from values import ACTOR_TOKEN, CLIENT_SECRET, GOOD, ISSUED, SUBJECT_TOKEN

import auth0_stt
from auth0_stt import TransportError

REFUSAL = {
    "error": "invalid_grant",
    "error_description": "The subject token has expired.",
}
SECRETS = {
    "client_secret": CLIENT_SECRET,
    "subject_token": SUBJECT_TOKEN,
    "actor_token": ACTOR_TOKEN,
}

if not settings.configured:
    settings.configure(
        DEBUG=True,
        SECRET_KEY="of the console",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
    )
    django.setup()
urlpatterns = []


@pytest.fixture(
    params=[
        "refused",
        "no JSON",
        "cut short",
        "redirected",
        "unreachable",
        "no certificate",
        "invalid argument",
    ]
)
def failing(request, httpserver):
    """A call that fails in one of the ways there are."""
    endpoint = httpserver.expect_request("/oauth/token")
    domain, more = httpserver.url_for(""), {}
    if request.param == "refused":
        endpoint.respond_with_json(
            {"error": "invalid_grant", "error_description": " ".join(SECRETS.values())},
            status=400,
        )
    elif request.param == "no JSON":
        endpoint.respond_with_data(
            '{"access_token": "stt-1', content_type="application/json"
        )
    elif request.param == "cut short":
        endpoint.respond_with_data("{}", headers={"Content-Length": "7"})
    elif request.param == "redirected":
        endpoint.respond_with_data("", status=307, headers={"Location": "/elsewhere"})
    elif request.param == "unreachable":
        domain = "http://127.0.0.1:1"
    elif request.param == "no certificate":
        domain = f"https://127.0.0.1:{httpserver.port}"
    else:
        more = {"scope": "not\nallowed"}
    return lambda: mint(domain, **more)


@pytest.fixture
def caught(failing):
    try:
        failing()
    except auth0_stt.SessionTransferError:
        return sys.exc_info()
    raise AssertionError("nothing was raised")


@pytest.fixture
def requests_traced():
    """The outgoing requests that Sentry saw, once its transaction has ended."""
    events = []
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:1/1",
        before_send_transaction=lambda event, hint: events.append(event),
        traces_sample_rate=1.0,
    )
    yield lambda: [
        span["description"]
        for event in events
        for span in event["spans"]
        if span["op"] == "http.client"
    ]
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.init()


class TestSentry:
    def test_frames_of_ours_show_no_secret(self, failing):
        """What Sentry sends of our frames holds no secret."""
        events = []
        sentry_sdk.init(
            dsn="http://key@127.0.0.1:1/1",
            before_send=lambda event, hint: events.append(event),
            include_local_variables=True,
            event_scrubber=EventScrubber(
                denylist=[], pii_denylist=[]
            ),  # ours must do without
            max_value_length=100_000,
            default_integrations=False,
        )
        try:
            try:
                failing()
            except auth0_stt.SessionTransferError as error:
                sentry_sdk.capture_exception(error)
        finally:
            sentry_sdk.get_client().close(timeout=0)
            sentry_sdk.init()
        (event,) = events
        (exception,) = event["exception"][
            "values"
        ]  # no cause and no context, which would hold the request
        frames = exception["stacktrace"]["frames"]
        below = [
            frame
            for frame in frames
            if (frame.get("module") or "").startswith("auth0_stt")
        ]
        assert below
        for frame in below:
            shown = repr(frame)
            assert not [name for name, secret in SECRETS.items() if secret in shown]
        assert not [
            name
            for name, secret in SECRETS.items()
            if secret in repr(exception["value"])
        ]


class TestSentryTraces:
    @pytest.mark.parametrize(
        "given", [False, True], ids=["own session", "given session"]
    )
    def test_a_mint_is_seen_on_a_given_session_only(
        self, requests_traced, httpserver, given
    ):
        """It hooks into http.client, which the package's own connections don't use."""
        httpserver.expect_request("/oauth/token").respond_with_json(GOOD)
        domain = httpserver.url_for("")
        with sentry_sdk.start_transaction(name="mint"), requests.Session() as session:
            mint(domain, **({"session": session} if given else {}))
        expected = ["POST " + httpserver.url_for("/oauth/token")] if given else []
        assert expected == requests_traced()


class TestWrappedNetwork:
    """A failure of the network is one of ours, whoever wraps the standard library."""

    def test_sentry(self, requests_traced):
        """Sentry has a frame of its own between urllib3 and http.client."""
        failing = pytest.raises(TransportError)
        silent = FaultServer([REQUEST, HOLD], context=None)
        with silent as server, requests.Session() as session, failing as caught:
            mint(server, session=session, timeout=0.3)
        assert "timeout" == caught.value.code

    @pytest.mark.parametrize("given", [False, True], ids=["own", "given"])
    def test_truststore(self, given):
        """truststore does the handshake and judges the certificate by itself."""
        truststore.inject_into_ssl()
        try:
            failing = pytest.raises(TransportError)
            with FaultServer() as server, requests.Session() as session, failing as caught:
                mint(server, session=session if given else None)
        finally:
            truststore.extract_from_ssl()
        assert "tls" == caught.value.code


class TestDjango:
    def test_the_error_page_shows_no_secret_of_our_frames(self, caught):
        """Django's debug page shows no secret in our frames."""
        kind, error, trace = caught
        reporter = ExceptionReporter(RequestFactory().get("/"), kind, error, trace)
        frames = [
            frame
            for frame in reporter.get_traceback_data()["frames"]
            if "auth0_stt" in frame["filename"]
        ]
        assert frames
        for frame in frames:
            if frame["function"] != "request_session_transfer_token":
                shown = repr(frame["vars"])
                assert not [name for name, secret in SECRETS.items() if secret in shown]
        text = reporter.get_traceback_text()
        assert not [name for name, secret in SECRETS.items() if secret in text]

    def test_the_report_has_one_exception(self, caught):
        """No cause, no context: what requests raised holds the request's body."""
        kind, error, trace = caught
        frames = ExceptionReporter(None, kind, error, trace).get_traceback_data()[
            "frames"
        ]
        assert {None} == {frame.get("exc_cause") for frame in frames}


class TestOpenTelemetry:
    @pytest.fixture
    def spans(self):
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        instrumentor = RequestsInstrumentor()
        instrumentor.instrument(tracer_provider=provider)
        yield exporter.get_finished_spans
        instrumentor.uninstrument()

    @pytest.mark.parametrize(
        "given", [False, True], ids=["own session", "given session"]
    )
    def test_a_mint_is_traced_without_its_body(self, spans, httpserver, given):
        """A trace has the URL and the status, and neither form nor token."""
        httpserver.expect_request("/oauth/token").respond_with_json(GOOD)
        mint(
            httpserver.url_for(""), **({"session": requests.Session()} if given else {})
        )
        (span,) = spans()
        assert httpserver.url_for("/oauth/token") in span.attributes.values()
        assert 200 in span.attributes.values()
        assert not [
            name for name, secret in SECRETS.items() if secret in span.to_json()
        ]
        assert ISSUED not in span.to_json()

    def test_a_refusal_is_traced_too(self, spans, httpserver):
        """A refusal is traced with its status."""
        httpserver.expect_request("/oauth/token").respond_with_json(REFUSAL, status=400)
        with pytest.raises(auth0_stt.CustomTokenExchangeError):
            mint(httpserver.url_for(""))
        (span,) = spans()
        assert 400 in span.attributes.values()


class TestDocumentation:
    @pytest.mark.parametrize(
        "name",
        [name for name in auth0_stt.__all__ if callable(getattr(auth0_stt, name))],
    )
    def test_help_says_what_it_is_for(self, name):
        """What help() and an editor's hover show: a first line that is a sentence, of the object's own."""
        thing = getattr(auth0_stt, name)
        assert thing.__doc__
        first = thing.__doc__.splitlines()[0]
        assert first == first.strip()
        assert first[0].isupper()
        assert len(first) <= 120
        assert name in pydoc.render_doc(thing, renderer=pydoc.plaintext)

    def test_pydoc_reads_the_package(self):
        """pydoc lists every public name."""
        done = processes.run(
            [sys.executable, "-m", "pydoc", "auth0_stt"],
            check=True,
        )
        text = done.stdout.decode()
        for name in auth0_stt.__all__:
            assert name.strip("_").lower() in text.lower()

    def test_logging_configured_for_debug_shows_no_secret(self, failing, caplog):
        """Logging everything, of every library, shows no secret."""
        with caplog.at_level(logging.DEBUG), pytest.raises(
            auth0_stt.SessionTransferError
        ):
            failing()
        shown = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
        assert not [name for name, secret in SECRETS.items() if secret in shown]
