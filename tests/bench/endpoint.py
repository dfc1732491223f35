"""A token endpoint over TLS with answers made beforehand, on two ports: here and far away.

The far port delays every byte by half of `ROUND_TRIP` in each direction, and what a client
sends on a new connection by a whole one more, which is what TCP's own handshake would take.

Run as `python endpoint.py CERTIFICATE`: prints its two ports, then its counters as JSON for
each line it reads, and ends with its standard input.
"""

import asyncio
import json
import re
import socket
import ssl
import sys
import threading
from collections import Counter

ROUND_TRIP = 0.040  # seconds
TOKEN = "stt_" + "Xy9-" * 15
COUNTERS = Counter(connections=0, requests=0, round_trips=0)

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HOST = re.compile(rb"\r\nhost: *([^\r]+)", re.IGNORECASE)


# About as many headers as a real tenant's answer has.
_HEAD = b"""HTTP/1.1 200 OK\r
Date: Mon, 02 Mar 2026 09:00:00 GMT\r
Content-Type: application/json\r
Content-Length: %d\r
Connection: keep-alive\r
CF-Ray: 8f0000000000abcd-FRA\r
CF-Cache-Status: DYNAMIC\r
Cache-Control: no-store\r
Pragma: no-cache\r
Strict-Transport-Security: max-age=31536000; includeSubDomains\r
Vary: Accept-Encoding, Origin\r
X-Auth0-RequestId: 0123456789abcdef0123\r
X-Content-Type-Options: nosniff\r
X-RateLimit-Limit: 100\r
X-RateLimit-Remaining: 99\r
X-RateLimit-Reset: 1772442060\r
Server: cloudflare\r
\r
"""


def answer(body):
    text = json.dumps(body).encode()
    return _HEAD % len(text) + text


TOKEN_ANSWER = answer(
    {
        "access_token": TOKEN,
        "issued_token_type": "urn:auth0:params:oauth:token-type:session_transfer_token",
        "token_type": "N_A",
        "expires_in": 60,
    }
)


def discovery_answer(head):
    issuer = "https://" + _HOST.search(head)[1].decode()
    return answer(
        {
            "issuer": issuer + "/",
            "token_endpoint": issuer + "/oauth/token",
            "jwks_uri": issuer + "/.well-known/jwks.json",
        }
    )


def serve(connection):
    """Answer the requests of one connection until its client closes it."""
    received = b""
    while True:
        end = received.find(b"\r\n\r\n") + 4
        head = received[:end]
        length = _CONTENT_LENGTH.search(head)
        request_size = end + (int(length[1]) if length else 0)
        if end > 3 and len(received) >= request_size:
            received = received[request_size:]
            COUNTERS["requests"] += 1
            connection.sendall(
                TOKEN_ANSWER if head.startswith(b"POST") else discovery_answer(head)
            )
            continue
        more = connection.recv(65536)
        if not more:
            return
        received += more


def send_at_once(connection):
    """Keep Nagle's algorithm from adding delays of its own."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def accept_here(listener, context):
    def converse(plain):
        try:
            with context.wrap_socket(plain, server_side=True) as connection:
                serve(connection)
        except OSError:
            pass  # a client that is gone has nothing to be told

    while True:
        plain, _ = listener.accept()
        COUNTERS["connections"] += 1
        send_at_once(plain)
        threading.Thread(target=converse, args=(plain,), daemon=True).start()


async def relay_from_far(far_listener, near_port):
    async def connect(client_reader, client_writer):
        opened = asyncio.get_running_loop().time()
        COUNTERS["round_trips"] += 1  # TCP's own
        send_at_once(client_writer.get_extra_info("socket"))
        server_reader, server_writer = await asyncio.open_connection(
            "127.0.0.1", near_port
        )
        clients_turn = True

        async def carry(reader, writer, from_client):
            nonlocal clients_turn
            loop = asyncio.get_running_loop()
            while True:
                data = await reader.read(65536)
                if from_client and clients_turn and data:
                    COUNTERS["round_trips"] += 1
                clients_turn = not from_client
                sent = max(loop.time(), opened + ROUND_TRIP)
                deliver = writer.write if data else lambda _: writer.close()
                loop.call_at(sent + ROUND_TRIP / 2, deliver, data)
                if not data:
                    return

        await asyncio.gather(
            carry(client_reader, server_writer, True),
            carry(server_reader, client_writer, False),
            return_exceptions=True,
        )

    server = await asyncio.start_server(connect, sock=far_listener)
    await server.serve_forever()


def main(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    near = socket.create_server(("127.0.0.1", 0), backlog=128)
    far = socket.create_server(("127.0.0.1", 0), backlog=128)
    near_port, far_port = near.getsockname()[1], far.getsockname()[1]
    for target in (
        lambda: accept_here(near, context),
        lambda: asyncio.run(relay_from_far(far, near_port)),
    ):
        threading.Thread(target=target, daemon=True).start()
    print(json.dumps([near_port, far_port]), flush=True)
    for _ in sys.stdin:
        print(json.dumps(COUNTERS), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
