"""Each target for a bounded number of inputs, guided by coverage, from the inputs that are kept in `corpus`.

`AUTH0_STT_FUZZ_RUNS=1000000 tox -e fuzz` runs longer, and with another seed each time.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import processes
import pytest

pytest.importorskip(
    "atheris", reason="atheris has no wheel for this Python, system or processor"
)

HERE = Path(__file__).parent
RUNS = int(os.environ.get("AUTH0_STT_FUZZ_RUNS", "0"))
# Read here, too: what lacks a folder of its own has not been thought about.
TARGETS = sorted(folder.name for folder in (HERE / "corpus").iterdir())


@pytest.mark.parametrize("target", TARGETS)
def test_fuzz(target, tmp_path):
    """Every input ends in a result or a typed error, and what is said of those in targets.py holds."""
    new_inputs = tmp_path / "new"
    new_inputs.mkdir()
    command = [
        *(sys.executable, "run.py", target),
        f"-runs={RUNS or 20_000}",
        # The same each time: a red run is about the change that it tests.
        *([] if RUNS else ["-seed=1"]),
        "-max_len=2048",
        # Seconds for one input.
        "-timeout=5",
        "-rss_limit_mb=1024",
        "-use_value_profile=1",
        "-dict=words.dict",
        f"-artifact_prefix={tmp_path}/",
        *(str(new_inputs), str(HERE / "corpus" / target)),
    ]
    done = processes.run(
        command,
        cwd=HERE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    runs = re.search(r"^Done (\d+) runs", done.stdout, re.M)
    # Told to pytest only when it fails: the input stands at the end.
    print(done.stdout[-8_000:])
    assert 0 == done.returncode
    assert runs
    assert int(runs.group(1)) >= (RUNS or 20_000)


def test_corpus_is_small():
    """The kept inputs are for people to read."""
    for target in TARGETS:
        files = list((HERE / "corpus" / target).iterdir())
        assert 5 <= len(files) < 50
        assert all(path.stat().st_size <= 2048 for path in files)
