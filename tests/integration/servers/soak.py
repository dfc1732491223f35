"""Mints under random alarms, kills, forks, nginx reloads and a proxy in the way.

Nothing may be crossed: each token says which request it is for. Nothing may hang. Run it
on demand, bounded by mints and by seconds::

    python tests/integration/servers/soak.py 20000 600
"""

import collections
import contextlib
import json
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2])]

from faults import CALL, FaultServer, authority, ca_file, echo, proxy, tunnel  # noqa: E402

from auth0_stt import SessionTransferError, request_session_transfer_token  # noqa: E402

TIMEOUT = 2.0
#: Seconds that a call may take longer: the machine is busy, and kills come in between.
SLACK = 3.0
#: Mints between two reports of a worker.
REPORT = 50

#: Workers by name: how they mint, and whether by the proxy.
WORKERS = {
    "alarms": ("alarms", False),
    "alarms, by proxy": ("alarms", True),
    "threads": ("threads", False),
    "threads, by proxy": ("threads", True),
    "forks": ("forks", False),
    "forks, by proxy": ("forks", True),
}

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 2;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.pem;
        keepalive_requests 200;
        keepalive_timeout 1s;
        location / {{ proxy_pass {upstream}; }}
    }}
}}
"""


# --- a worker ---------------------------------------------------------------------


class AlarmError(Exception):
    """Raised by a signal handler, as Celery's SoftTimeLimitExceeded."""


def mint_once(domain, counts):
    """Mint once and count how it went."""
    mark = f"{os.getpid()}-{threading.get_ident()}-{random.getrandbits(60)}"
    started = time.monotonic()
    call = {**CALL, "timeout": TIMEOUT}
    try:
        token = request_session_transfer_token(domain, reason=mark, **call)
        right = token.session_transfer_token == "stt-for-" + mark
        counts["own" if right else "crossed"] += 1
    except SessionTransferError as error:
        counts[str(error.code)] += 1
    if time.monotonic() - started > TIMEOUT + SLACK:
        counts["hung"] += 1


def report(counts):
    """Tell the parent, and begin anew."""
    os.write(1, (json.dumps(counts) + "\n").encode())
    counts.clear()


def alarms(domain):
    """Mint while alarms go off at random."""

    def handler(*_):
        raise AlarmError

    signal.signal(signal.SIGALRM, handler)
    counts = collections.Counter()
    while True:
        for _ in range(REPORT):
            try:
                signal.setitimer(signal.ITIMER_REAL, random.expovariate(300) + 1e-5)
                mint_once(domain, counts)
                signal.setitimer(signal.ITIMER_REAL, 0)
                time.sleep(0)  # an alarm that has gone off is raised here
            except AlarmError:
                counts["alarms"] += 1
        report(counts)


def threads(domain):
    """Mint in eight threads."""

    def work():
        counts = collections.Counter()
        while True:
            for _ in range(REPORT):
                mint_once(domain, counts)
            report(counts)

    for _ in range(7):
        threading.Thread(target=work, daemon=True).start()
    work()


def forks(domain):
    """Mint, and let children mint that were forked in between; some are killed."""
    counts = collections.Counter()
    while True:
        mint_once(domain, counts)
        child = os.fork()
        if not child:
            for _ in range(REPORT):
                mint_once(domain, counts)
            report(counts)
            os._exit(0)
        if random.random() < 0.2:
            time.sleep(random.random() / 5)
            os.kill(child, signal.SIGKILL)
        for _ in range(5):
            mint_once(domain, counts)
        os.waitpid(child, 0)
        report(counts)


# --- the soak ---------------------------------------------------------------------


class Soak:
    """Starts, disturbs and counts."""

    def __init__(self, folder, domain, between):
        self.folder = folder
        self.domain = domain
        self.between = between
        self.counts = collections.Counter()
        self.reports = queue.Queue()
        self.workers = {}
        self.heard = {}
        self.nginx = None

    def start_nginx(self):
        """Start it again in the same place."""
        command = ["nginx", "-e", f"{self.folder}/error.log", "-p", self.folder]
        self.nginx = subprocess.Popen([*command, "-c", f"{self.folder}/nginx.conf"])

    def start_worker(self, name):
        """Start a worker, and listen to it."""
        kind, by_proxy = WORKERS[name]
        environ = {**os.environ, "REQUESTS_CA_BUNDLE": f"{self.folder}/ca.pem"}
        environ.pop("HTTPS_PROXY", None)
        if by_proxy:
            environ["HTTPS_PROXY"] = self.between.url
        command = [sys.executable, str(Path(__file__)), "work", kind, self.domain]
        worker = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, start_new_session=True
        )
        self.workers[name], self.heard[name] = worker, time.monotonic()
        threading.Thread(target=self.listen, args=(name, worker), daemon=True).start()

    def listen(self, name, worker):
        """Pass on what a worker reports."""
        with worker.stdout:
            for line in worker.stdout:
                with contextlib.suppress(ValueError):  # the last line of a killed one
                    self.reports.put((name, json.loads(line)))

    def disturb(self):
        """Do one of the things that happen to servers."""
        what = random.choice(["reload", "reload", "restart", "proxy", "worker"])
        self.counts["disturbed: " + what] += 1
        if what == "reload":
            self.nginx.send_signal(signal.SIGHUP)
        elif what == "restart":
            self.nginx.terminate()
            self.nginx.wait(10)
            self.start_nginx()
        elif what == "proxy":
            for peer in self.between._peers[-8:]:
                peer.shut_down()
        else:
            name = random.choice(list(WORKERS))
            self.kill(name)
            self.start_worker(name)

    def kill(self, name):
        """Kill a worker and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.workers[name].pid, signal.SIGKILL)
        self.workers[name].wait(10)

    def run(self, mints, seconds):
        """Return once so many tokens came, or the time is over."""
        self.start_nginx()
        for name in WORKERS:
            self.start_worker(name)
        until, disturbed = time.monotonic() + seconds, time.monotonic()
        while self.counts["own"] < mints and time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                name, counts = self.reports.get(timeout=0.2)
                self.counts.update(counts)
                self.heard[name] = time.monotonic()
            now = time.monotonic()
            for name, worker in self.workers.items():
                # A report is REPORT calls, and each may take its whole time.
                if now - self.heard[name] > REPORT * TIMEOUT + SLACK:
                    self.counts["silent: " + name] += 1
                    self.heard[name] = now
                if worker.poll() is not None:
                    raise SystemExit(f"{name} ended with {worker.returncode}")
            if now - disturbed > 1:
                disturbed = now
                self.disturb()

    def stop(self):
        """End what was started."""
        for name in self.workers:
            self.kill(name)
        self.nginx.terminate()
        self.nginx.wait(10)


def free_port():
    """Return a port that nobody listens on."""
    with FaultServer(context=None) as server:
        return server.port


def main(mints=2_000, seconds=120):
    """Run a soak and print what was counted."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        upstream = stack.enter_context(FaultServer(echo, context=None))
        between = stack.enter_context(proxy(tunnel))
        leaf = authority("known").issue_cert("localhost", "127.0.0.1")
        leaf.private_key_and_cert_chain_pem.write_to_path(f"{folder}/server.pem")
        Path(folder, "ca.pem").write_bytes(Path(ca_file()).read_bytes())
        config = NGINX.format(folder=folder, port=port, upstream=upstream.url)
        Path(folder, "nginx.conf").write_text(config)
        os.chmod(folder, 0o755)
        soak = Soak(folder, f"localhost:{port}", between)
        started = time.monotonic()
        try:
            soak.run(mints, seconds)
        finally:
            soak.stop()
        print(f"{time.monotonic() - started:.0f} seconds")
        for what, count in sorted(soak.counts.items()):
            print(f"{what:24} {count}")
    wrong = ("crossed", "hung", "silent")
    return int(any(what.startswith(wrong) for what in soak.counts))


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        globals()[sys.argv[2]](sys.argv[3])
    sys.exit(main(*map(int, sys.argv[1:])))
