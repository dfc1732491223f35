"""A new project of Django, with the console put into it as docs/console.rst says."""

import contextlib
import re
import shlex
import sys
from pathlib import Path

import processes
from release.blocks import ROOT, code, in_language
from running import started

import auth0_stt

PAGE = ROOT / "docs" / "console.rst"

#: Where the package that is tested is.
PACKAGE = str(Path(auth0_stt.__file__).parents[1])


def make(directory):
    """Make the project, and follow the page's steps up to the commands that start it."""
    command = [sys.executable, "-m", "django", "startproject", "site_", "."]
    processes.run(command, cwd=directory, check=True)
    copy = commands("copy")[-1].replace("../auth0-stt", str(ROOT))
    processes.run(shlex.split(copy), cwd=directory, check=True)
    with (directory / "site_" / "settings.py").open("a") as file:
        file.write(settings_block() + code(PAGE, "installed").strip() + "\n")
    (directory / "site_" / "urls.py").write_text(code(PAGE, "urls").strip() + "\n")


def commands(name):
    """Return the commands of a step."""
    (text,) = in_language(PAGE, "sh", name)
    return text.splitlines()


def settings_block():
    """Return what the page includes of the example's settings."""
    include = (
        r"examples/(console/\S+/settings.py)\n +:start-at: (.*)\n +:end-before: (.*)"
    )
    path, start, end = re.search(include, PAGE.read_text("utf-8")).groups()
    text = (ROOT / "examples" / path).read_text("utf-8")
    return text[text.index(start) : text.index(end)]


@contextlib.contextmanager
def served(directory, origin, **environ):
    """Run the page's last commands, on another port than the page's."""
    read, *manage, serve = commands("start")
    assert ". ./tenant.env" == read
    for command in manage:
        python, *arguments = shlex.split(command)
        assert "python" == python
        processes.run(
            [sys.executable, *arguments],
            cwd=directory,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": PACKAGE, **environ},
            check=True,
        )
    python, *arguments, host = shlex.split(serve)
    assert host == "localhost:8401"
    host = origin.partition("//")[2]
    arguments += [host, "--noreload"]
    with started(*arguments, ready="Quit", cwd=directory, **environ):
        yield
