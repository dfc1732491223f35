"""One way to mint a session transfer token, in a process of its own.

Run as `python contender.py NAME DOMAIN CA_FILE`: reads a JSON order a line, `{"mints": n,
"threads": t}` (each thread mints n times), and prints what it cost.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from endpoint import TOKEN
from interpreter import resident_bytes

SUBJECT_TOKEN = "subject." + "a1B2_c3D-" * 110
ACTOR_TOKEN = "actor." + "d4E5.f6G7_" * 100
SUBJECT_TOKEN_TYPE = "urn:acme:customer"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
CLIENT_ID = "console"
CLIENT_SECRET = "s3cret-" * 9


def form(domain):
    return {
        "grant_type": GRANT_TYPE,
        "audience": f"urn:{domain}:session_transfer",
        "subject_token": SUBJECT_TOKEN,
        "subject_token_type": SUBJECT_TOKEN_TYPE,
        "actor_token": ACTOR_TOKEN,
        "actor_token_type": ID_TOKEN_TYPE,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }


# Each of these takes the domain and the CA file, and returns a function that mints once.


def http_client(domain, ca_file):
    from http.client import HTTPSConnection
    from ssl import create_default_context
    from urllib.parse import urlencode

    connection = None

    def mint():
        nonlocal connection
        if connection is None:
            context = create_default_context(cafile=ca_file)
            connection = HTTPSConnection(domain, context=context)
        body = urlencode(form(domain))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/oauth/token", body, headers)
        return json.loads(connection.getresponse().read())["access_token"]

    return mint


def urllib3_pool(domain, ca_file):
    from urllib3 import PoolManager

    pool = PoolManager(ca_certs=ca_file)

    def mint():
        response = pool.request(
            "POST",
            f"https://{domain}/oauth/token",
            fields=form(domain),
            encode_multipart=False,
        )
        return json.loads(response.data)["access_token"]

    return mint


def requests_session(domain, ca_file):
    from requests import Session

    session = Session()

    def mint():
        url = f"https://{domain}/oauth/token"
        return session.post(url, data=form(domain)).json()["access_token"]

    return mint


def requests_session_per_thread(domain, ca_file):
    from requests import Session

    mine = threading.local()

    def mint():
        if not hasattr(mine, "session"):
            mine.session = Session()
        url = f"https://{domain}/oauth/token"
        return mine.session.post(url, data=form(domain)).json()["access_token"]

    return mint


def requests_post(domain, ca_file):
    from requests import post

    def mint():
        url = f"https://{domain}/oauth/token"
        return post(url, data=form(domain)).json()["access_token"]

    return mint


def google_auth(domain, ca_file):
    from google.auth.transport.requests import Request
    from google.oauth2.sts import Client
    from google.oauth2.utils import ClientAuthentication, ClientAuthType

    client = Client(
        f"https://{domain}/oauth/token",
        ClientAuthentication(ClientAuthType.request_body, CLIENT_ID, CLIENT_SECRET),
    )
    request = Request()

    def mint():
        answer = client.exchange_token(
            request,
            grant_type=GRANT_TYPE,
            subject_token=SUBJECT_TOKEN,
            subject_token_type=SUBJECT_TOKEN_TYPE,
            audience=f"urn:{domain}:session_transfer",
            actor_token=ACTOR_TOKEN,
            actor_token_type=ID_TOKEN_TYPE,
        )
        return answer["access_token"]

    return mint


def auth0_server_python(domain, ca_file):
    import asyncio
    import warnings

    with warnings.catch_warnings(record=True):  # Authlib deprecates a module of its own
        from auth0_server_python.auth_server.server_client import ServerClient

    client = ServerClient(
        domain=domain,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        secret="s" * 32,
        state_store=object(),  # never asked: the actor token is given
        transaction_store=object(),
    )
    loop = asyncio.new_event_loop()

    def mint():
        result = loop.run_until_complete(
            client.request_session_transfer_token(
                subject_token=SUBJECT_TOKEN,
                subject_token_type=SUBJECT_TOKEN_TYPE,
                actor_token=ACTOR_TOKEN,
                actor_token_type=ID_TOKEN_TYPE,
            )
        )
        return result.session_transfer_token

    return mint


def auth0_stt(domain, ca_file):
    from auth0_stt import request_session_transfer_token

    def mint():
        return request_session_transfer_token(
            domain,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            subject_token=SUBJECT_TOKEN,
            subject_token_type=SUBJECT_TOKEN_TYPE,
            actor_token=ACTOR_TOKEN,
            actor_token_type=ID_TOKEN_TYPE,
            forwarded_for="203.0.113.7",
        ).session_transfer_token

    return mint


CONTENDERS = {
    "http.client, open connection": http_client,
    "urllib3 PoolManager": urllib3_pool,
    "auth0-stt": auth0_stt,
    "google-auth sts.Client": google_auth,
    "requests.Session": requests_session,
    "requests.Session per thread": requests_session_per_thread,
    "requests.post": requests_post,
    "auth0-server-python": auth0_server_python,
}


def run(mint, pool, mints, threads):
    def repeat(mints):
        for _ in range(mints):
            if mint() != TOKEN:
                raise AssertionError("not the token that the endpoint issued")

    cpu, wall = time.process_time(), time.perf_counter()
    if threads == 1:
        repeat(mints)
    else:
        list(pool.map(repeat, [mints] * threads))
    count = mints * threads
    return {
        "cpu_ms": (time.process_time() - cpu) / count * 1000,
        "wall_ms": (time.perf_counter() - wall) / count * 1000,
        "resident": resident_bytes(),
    }


def main(name, domain, ca_file):
    mint = CONTENDERS[name](domain, ca_file)
    with ThreadPoolExecutor(16) as pool:
        for line in sys.stdin:
            print(json.dumps(run(mint, pool, **json.loads(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
