"""A new project of Django, with the console put into it as docs/console.rst says."""

import contextlib
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
    for module, block in (("settings", "installed"), ("urls", "urls")):
        with (directory / "site_" / f"{module}.py").open("a") as file:
            file.write(code(PAGE, block).strip() + "\n")


def commands(name):
    """Return the commands of a step."""
    (text,) = in_language(PAGE, "sh", name)
    return text.splitlines()


def python(directory, *arguments, **environ):
    """Run Python in the project; return how it ended."""
    return processes.run(
        [sys.executable, *arguments],
        cwd=directory,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": PACKAGE, **environ},
    )


def manage(directory, command, **environ):
    """Run a command of the project's manage.py; return how it ended."""
    return python(directory, "manage.py", *command.split(), **environ)


@contextlib.contextmanager
def served(directory, origin, **environ):
    """Run the page's last commands, on another port than the page's."""
    read, *commands_before, serve = commands("start")
    assert ". ./tenant.env" == read
    for command in commands_before:
        words = command.partition("python manage.py ")
        assert "" == words[0]
        manage(directory, words[2], **environ).check_returncode()
    arguments = shlex.split(serve)[1:-1]
    assert serve.endswith(" localhost:8401")
    host = origin.partition("//")[2]
    arguments += [host, "--noreload"]
    with started(*arguments, ready="Quit", cwd=directory, **environ):
        yield
