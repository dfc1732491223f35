"""What the tests of the pages share: the signing of subject tokens, and the Action."""

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import processes
import pytest
from release.blocks import ROOT

ACTION = ROOT / "docs" / "action"


def load(path):
    """Import a file that is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def new_key(tmp_path):
    """A function that makes a key as the documentation says, and returns its file."""

    def new_key(name):
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        key = ec.generate_private_key(ec.SECP256R1())
        path = tmp_path / name
        path.write_bytes(
            key.private_bytes(
                Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
            )
        )
        return path

    return new_key


@pytest.fixture
def signing(new_key, monkeypatch):
    """docs/action/sign_subject.py, with a key of its own."""
    monkeypatch.setenv("SUBJECT_KEY_FILE", str(new_key("subject-key.pem")))
    return load(ACTION / "sign_subject.py")


@pytest.fixture(scope="session")
def installed_action(tmp_path_factory):
    """A copy of the Action's directory with what it requires, as npm installs it."""
    unable = pytest.fail if os.environ.get("AUTH0_STT_REQUIRE_NODE") else pytest.skip
    if shutil.which("node") is None or shutil.which("npm") is None:
        unable("no node and npm: the Action can't run")
    copy = tmp_path_factory.mktemp("node") / "action"
    shutil.copytree(ACTION, copy, ignore=shutil.ignore_patterns("node_modules"))
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = processes.run(command, cwd=copy, text=True, timeout=300)
    if done.returncode:
        unable(f"npm can't install what the Action requires: {done.stderr[-500:]}")
    return copy / "action.js"


@pytest.fixture
def play(installed_action):
    """A function that runs the Action on events; what it called and threw for each."""

    def play(*events):
        runner = Path(__file__).parent / "play_action.js"
        done = processes.run(
            ["node", str(runner), str(installed_action)],
            input=json.dumps(events),
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return play


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """The pages as Sphinx builds them: any warning is an error."""
    built = tmp_path_factory.mktemp("html")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n"]
    done = processes.run(
        [*command, str(ROOT / "docs"), str(built)], text=True, timeout=300
    )
    assert 0 == done.returncode, done.stderr
    return built
