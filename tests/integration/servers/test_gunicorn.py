"""The Django console under gunicorn, loaded from another process, against a tenant in a third.

`AUTH0_STT_MINTS=20000 tox -e servers -- -s tests/integration/servers` is the long run; it shows what was measured.
"""

import collections
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import processes
import pytest
import requests

pytest.importorskip("gunicorn", reason="gunicorn is not to be had here")
if not Path("/proc/self/smaps_rollup").exists():
    pytest.skip("files and memory are read from Linux's /proc", allow_module_level=True)

HERE = Path(__file__).parent
MINTS = int(os.environ.get("AUTH0_STT_MINTS", "300"))
#: Until every worker has imported, connected and filled its caches.
WARM_UP = 200
CLIENTS = 12
WORKERS = 2
CUSTOMERS = ["auth0|ada", "auth0|lin"]

#: Arguments of gunicorn, and how many calls each worker has under way at once.
KINDS = {
    "sync": ([], 1),
    "gthread": (["--threads=4"], 4),
    "gevent": ([], CLIENTS),
}


# --- processes -------------------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(command, environ, **kwargs):
    with processes.started(command, cwd=HERE, env=environ, **kwargs) as process:
        yield process
        process.terminate()
        process.wait(20)


class Tenant:
    """The tenant's process, from here."""

    def __init__(self, process):
        self._process = process
        self.told = json.loads(process.stdout.readline())

    def issued(self):
        """Return customer and reason of every token that was issued."""
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def peers(self):
        """Return the ports of those who are connected."""
        own = "0100007F:{:04X}".format(self.told["port"])
        lines = [
            line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        ]
        established = "01"
        return {
            int(line[2][-4:], 16)
            for line in lines
            if line[1] == own and line[3] == established
        }


class Server:
    """Gunicorn, from here."""

    def __init__(self, process, port, log):
        self.process = process
        self.port = port
        self.origin = f"http://localhost:{port}"
        self.log = log

    def wait_until_it_listens(self):
        deadline = time.monotonic() + 30
        while len(self.workers()) < WORKERS or "Booting" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def workers(self):
        return sorted(
            map(
                int,
                Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
                .read_text()
                .split(),
            )
        )

    def files(self):
        """Return the number of open files of each worker."""
        return [len(os.listdir(f"/proc/{pid}/fd")) for pid in self.workers()]

    def memory(self):
        """Return the resident memory of each worker, in KiB.

        What is shared with the parent counts: the first full garbage collection after the fork writes to every object
        that was loaded before it, so 12 MB of shared memory become private at once and nothing has grown.
        """
        texts = [
            Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.workers()
        ]
        return [int(re.search(r"^Rss: +(\d+)", text, re.M).group(1)) for text in texts]


@pytest.fixture(params=list(KINDS))
def kind(request):
    return request.param


@pytest.fixture
def both(kind, tmp_path):
    """Gunicorn with workers of a kind, and its tenant."""
    port = free_port()
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    log = tmp_path / "gunicorn.log"
    callback = f"http://localhost:{port}/callback"
    with running(
        [sys.executable, "tenant.py", callback], environ, **pipes
    ) as process, open(log, "w") as log_file:
        tenant = Tenant(process)
        environ["REQUESTS_CA_BUNDLE"] = tenant.told["ca_file"]
        environ["CONSOLE_TENANT"] = json.dumps({**tenant.told, "folder": str(tmp_path)})
        environ["CONSOLE_WORKERS"] = kind
        command = [
            *(
                sys.executable,
                "-W",
                "error::ResourceWarning",
                "-m",
                "gunicorn",
                "--preload",
            ),
            *(
                f"--bind=127.0.0.1:{port}",
                f"--workers={WORKERS}",
                f"--worker-class={kind}",
            ),
            # By default a connection that is idle for 2 seconds is closed, perhaps as the next request is on its way.
            *("--keep-alive=75", "--no-control-socket", "--worker-tmp-dir=/dev/shm"),
            *(*KINDS[kind][0], "console_wsgi"),
        ]
        with running(command, environ, stdout=log_file, stderr=log_file) as gunicorn:
            server = Server(gunicorn, port, log)
            server.wait_until_it_listens()
            yield server, tenant


# --- load ------------------------------------------------------------------------------------------------------


def sign_in(server, tenant):
    """Sign the agent in as a browser does; return the cookies for the console."""
    with requests.Session() as web:
        web.trust_env = False
        web.verify = tenant.told["ca_file"]
        page = web.get(server.origin + "/", timeout=10)
        action = (
            re.search(r'action="([^"]+)"', page.text).group(1).replace("&amp;", "&")
        )
        form = {"username": "sam@acme.example", "password": "password"}
        page = web.post(urljoin(page.url, action), form, timeout=10)
        assert server.origin + "/" == page.url
        return {
            cookie.name: cookie.value
            for cookie in web.cookies
            if cookie.name in ("sessionid", "csrftoken")
        }


class Load:
    """Clicks on "sign in as", by several agents at once."""

    def __init__(self, server, cookies):
        self.server = server
        self.cookies = cookies
        #: Token, customer and reason.
        self.got = []
        self.failures = collections.Counter()

    def run(self, count, watch=None):
        """Click, and call ``watch`` now and then meanwhile; return the seconds that it took."""
        numbers = iter(range(len(self.got), len(self.got) + count))
        lock = threading.Lock()
        threads = [
            threading.Thread(target=self._click, args=(numbers, lock, i))
            for i in range(CLIENTS)
        ]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.05)
                if watch is not None:
                    watch()
        return time.monotonic() - started

    def _click(self, numbers, lock, client):
        cookies = self.cookies[client % len(self.cookies)]
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection = http.client.HTTPConnection(
            "localhost", self.server.port, timeout=30
        )
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            customer, reason = CUSTOMERS[number % 2], f"ticket {number}"
            form = urlencode(
                {"csrfmiddlewaretoken": cookies["csrftoken"], "reason": reason}
            )
            try:
                connection.request(
                    "POST", f"/customers/{quote(customer)}/sign-in-as", form, headers
                )
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                self.failures[type(error).__name__] += 1
                connection.close()
                continue
            if answer.status == 303:
                (stt,) = parse_qs(urlsplit(answer.headers["Location"]).query)[
                    "session_transfer_token"
                ]
                self.got.append((stt, customer, reason))
            else:
                self.failures[answer.status] += 1
        connection.close()


# --- the test --------------------------------------------------------------------------------------------------


def test_under_load(both, kind):
    """No error, no answer crossed, no connection more than calls at once, no file left open, no growth of memory."""
    server, tenant = both
    at_once = KINDS[kind][1] * WORKERS
    workers = server.workers()
    load = Load(server, [sign_in(server, tenant) for _ in range(4)])
    load.run(WARM_UP)
    files, memory = server.files(), server.memory()

    counts, peers = [], set()

    def watch():
        connected = tenant.peers()
        counts.append(len(connected))
        peers.update(connected)

    seconds = load.run(MINTS, watch)
    time.sleep(0.2)
    files_after, memory_after = server.files(), server.memory()
    print(
        f"\n{kind}: {MINTS} mints in {seconds:.1f} s ({MINTS / seconds:.0f}/s), connections at once {max(counts)}, "
        f"ever {len(peers)}, open files {files} -> {files_after}, memory {memory} -> {memory_after} KiB"
    )

    assert not load.failures
    assert WARM_UP + MINTS == len(load.got) == len({stt for stt, _, _ in load.got})
    issued = tenant.issued()
    assert {
        stt: [customer, reason] for stt, customer, reason in load.got
    }.items() <= issued.items()
    # One more of the parent's, from before the fork.
    assert WARM_UP + MINTS + 1 == len(issued)
    # The parent's connection is one that no worker uses.
    assert max(counts) <= at_once + 1
    # The same connections all the time, not a new one now and then.
    assert len(peers) <= at_once + 1
    assert all(after <= before + at_once for before, after in zip(files, files_after))
    assert all(after <= before + 2048 for before, after in zip(memory, memory_after))
    assert workers == server.workers()
    assert not re.search(r"error|warning|traceback", server.log.read_text(), re.I)
