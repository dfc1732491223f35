"""The package as a part of another one: rewritten by the `vendoring` tool, or copied under another name."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import processes
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

VENDORING = """
[tool.vendoring]
destination = "legacy/_vendor/"
requirements = "legacy/_vendor/vendor.txt"
namespace = "legacy._vendor"
protected-files = ["__init__.py", "vendor.txt"]

[tool.vendoring.transformations]
drop = ["*.dist-info", "bin"]
"""


def run(*command, cwd, **environment):
    done = processes.run(
        list(map(str, command)),
        cwd=str(cwd),
        env={**os.environ, **environment},
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert 0 == done.returncode, done.stdout
    return done.stdout


def pip(*arguments, cwd):
    return run(
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        *arguments,
        cwd=cwd,
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Our wheel, built from a copy of the sources, so that no earlier build gets into it."""
    sources = tmp_path_factory.mktemp("sources")
    for name in ["setup.cfg", "pyproject.toml", "README.rst", "LICENSE"]:
        shutil.copy(str(ROOT / name), str(sources))
    shutil.copytree(str(ROOT / "auth0_stt"), str(sources / "auth0_stt"))
    out = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", out, sources, cwd=sources)
    (wheel,) = out.glob("auth0_stt-*.whl")
    return wheel


@pytest.fixture(scope="session")
def beside(tmp_path_factory):
    """What requests itself imports by name."""
    folder = tmp_path_factory.mktemp("beside")
    pip(
        "install",
        "--target",
        folder,
        "urllib3",
        "certifi",
        "idna",
        "charset-normalizer",
        cwd=folder,
    )
    return folder


@pytest.fixture(scope="session")
def legacy(wheel, tmp_path_factory):
    """A project that vendors our package, requests and attrs, and has installed none of them."""
    project = tmp_path_factory.mktemp("project")
    (project / "legacy" / "_vendor").mkdir(parents=True)
    (project / "legacy" / "__init__.py").touch()
    (project / "legacy" / "_vendor" / "__init__.py").touch()
    (project / "legacy" / "_vendor" / "vendor.txt").write_text(
        f"{wheel}\nrequests\nattrs\n"
    )
    (project / "pyproject.toml").write_text(VENDORING)
    run(sys.executable, "-m", "vendoring", "sync", cwd=project)
    return project


@pytest.fixture(scope="session")
def copied(tmp_path_factory):
    """A project that took the folder as it is and gave it another name."""
    project = tmp_path_factory.mktemp("copied")
    shutil.copytree(
        str(ROOT / "auth0_stt"),
        str(project / "shop_stt"),
        ignore=shutil.ignore_patterns("testing", "__pycache__"),
    )
    pip("install", "--target", project, "requests", "attrs", cwd=project)
    return project


def exercise(*names, path):
    # -S: nothing that is installed in the environment of the tests can be imported.
    out = run(
        sys.executable,
        "-S",
        HERE / "exercise.py",
        *names,
        cwd=HERE,
        PYTHONPATH=os.pathsep.join(map(str, path)),
        PYTHONDONTWRITEBYTECODE="1",
    )
    return json.loads(out.splitlines()[-1])


def check(copy, name):
    assert "https://shop.example.com/login?session_transfer_token=stt-1" == copy["url"]
    assert ["invalid_grant", "invalid_argument", "unreachable"] == copy["codes"]
    assert [name + ".errors", name + ".models"] == copy["modules"]
    assert [True] * 4 == copy["pickled"]


def test_the_vendoring_tool_rewrites_it(legacy, beside):
    """Every import of ours is one that the tool can rewrite; nothing is imported under its old name."""
    seen = exercise("legacy._vendor.auth0_stt", path=[legacy, beside])
    check(seen["copies"][0], "legacy._vendor.auth0_stt")
    assert not {"auth0_stt", "requests", "attr", "attrs"} & set(seen["tops"])
    assert seen["loggers"]
    assert all(
        name.startswith("legacy._vendor.auth0_stt")
        for name in seen["loggers"]
        if "_stt" in name
    )


def test_a_copy_under_another_name_works(copied):
    """The folder needs no build and no original installed beside it."""
    seen = exercise("shop_stt", path=[copied])
    check(seen["copies"][0], "shop_stt")
    assert "auth0_stt" not in seen["tops"]
    assert {"shop_stt"} == {
        name.partition(".")[0] for name in seen["loggers"] if "_stt" in name
    }


def test_two_copies_side_by_side(legacy, copied, beside):
    """Each has its own errors and its own logger, and one's code equals the other's."""
    seen = exercise(
        "legacy._vendor.auth0_stt", "shop_stt", path=[legacy, copied, beside]
    )
    check(seen["copies"][0], "legacy._vendor.auth0_stt")
    check(seen["copies"][1], "shop_stt")
    assert seen["equal"]
    assert [True] * 4 == seen["across"]
    assert 2 == seen["distinct"]
