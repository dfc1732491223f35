"""Every example of the pages passes mypy and pyright."""

import json
import shutil
import sys
from importlib.util import find_spec

import processes
import pytest
from release.blocks import PAGES, ROOT, write_out
from release.given import GIVEN

#: The project that the README's view is pasted into.
PROJECT = ROOT / "examples" / "console"


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """A directory with each example in a file of its own."""
    directory = tmp_path_factory.mktemp("examples")
    for path in PAGES:
        write_out(path, directory, GIVEN.get(path.name, {}))
    shutil.copy(ROOT / "docs/action/sign_subject.py", directory)
    return directory


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_types(examples, checker):
    """A reader who pastes an example gets no complaint from a type checker."""
    if find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    settings = {
        "pythonVersion": "3.10",
        "extraPaths": [str(ROOT), str(PROJECT), str(examples)],
        "reportMissingModuleSource": False,
    }
    (examples / "pyrightconfig.json").write_text(json.dumps(settings))
    command = {
        "mypy": [
            "--check-untyped-defs",
            "--ignore-missing-imports",
            "--follow-imports=silent",  # the package itself is another test's
            *map(str, examples.glob("*.py")),
        ],
        "pyright": ["--project", str(examples), "--pythonpath", sys.executable],
    }[checker]
    done = processes.run(
        [sys.executable, "-m", checker, *command],
        cwd=examples,
        env={"PATH": "/usr/bin:/bin", "MYPYPATH": f"{ROOT}:{PROJECT}:{examples}"},
        text=True,
        timeout=300,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
