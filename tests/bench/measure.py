"""Runs contenders in turns and collects what their mints cost."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import trustme

HERE = Path(__file__).parent


class Process:
    """A script beside this one that answers each line of JSON with another."""

    def __init__(self, script, *arguments, environment):
        self.popen = subprocess.Popen(
            [sys.executable, str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
            env=environment,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.popen.communicate()

    def read(self):
        line = self.popen.stdout.readline()
        if not line:
            raise SystemExit("ended early: " + " ".join(self.popen.args[1:3]))
        return json.loads(line)

    def ask(self, **order):
        self.popen.stdin.write(json.dumps(order) + "\n")
        self.popen.stdin.flush()
        return self.read()


class Bench:
    """An endpoint, its certificate in `folder`, and the processes that mint from it."""

    def __init__(self, folder, rounds):
        self.rounds = rounds
        authority = trustme.CA()
        self.ca_file = os.path.join(folder, "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        certificate = os.path.join(folder, "endpoint.pem")
        issued = authority.issue_cert("localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(certificate)
        # Each contender finds the authority where its users would put it, compiled
        # modules where they would be, and no proxy.
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")},
            "REQUESTS_CA_BUNDLE": self.ca_file,
            "SSL_CERT_FILE": self.ca_file,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        self.endpoint = self._start("endpoint.py", certificate)
        self.ports = self.endpoint.read()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.endpoint.__exit__()

    def _start(self, script, *arguments):
        return Process(script, *arguments, environment=self.environment)

    def start(self, name, far=False):
        domain = f"localhost:{self.ports[far]}"
        return self._start("contender.py", name, domain, self.ca_file)

    def mint(self, process, mints=1, threads=1):
        """What some mints cost, and the connections and round trips they took together."""
        before = self.endpoint.ask()
        cost = process.ask(mints=mints, threads=threads)
        after = self.endpoint.ask()
        cost.update((name, after[name] - before[name]) for name in after)
        return cost

    def near(self, names, mints, threads=1):
        """Costs by contender, warm ones; all connections are counted in the first round."""
        costs = defaultdict(list)
        with ExitStack() as stack:
            processes = {name: stack.enter_context(self.start(name)) for name in names}
            warm_up = {
                name: self.mint(process, 5, threads)
                for name, process in processes.items()
            }
            for _ in range(self.rounds):
                for name, process in processes.items():
                    costs[name].append(self.mint(process, mints, threads))
        for name in names:
            costs[name][0]["connections"] += warm_up[name]["connections"]
        return costs

    def far(self, names, mints):
        """Costs of first mints and of those that follow, over the long way, by contender."""
        first, warm = defaultdict(list), defaultdict(list)
        for _ in range(self.rounds):
            for name in names:
                with self.start(name, far=True) as process:
                    first[name].append(self.mint(process))
                    warm[name].append(self.mint(process, mints))
        return first, warm

    def growth(self, name, early, late):
        """Bytes that the process grew by between its `early`th and its `late`th mint."""
        with self.start(name) as process:
            before = self.mint(process, early)["resident"]
            return before and self.mint(process, late - early)["resident"] - before

    def interpreter(self, measurement, times):
        """Results of fresh interpreters, without the first, which may compile modules."""
        results = []
        for _ in range(1 + times):
            with self._start("interpreter.py", measurement) as process:
                results.append(process.read())
        return results[1:]
