"""Build wheel and sdist twice from this commit's sources and check what is uploaded.

Well described (twine), complete, nothing else in the wheel, the same bytes twice, nothing
left behind among the sources, and the sdist runs its own tests.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: What runs from the sdist: tests of files around the package, the command line, the demo.
SOME_TESTS = (
    "tests/release/test_packaging.py",
    "tests/cli",
    "tests/testing/test_demo.py",
)
BUILD = (sys.executable, "-m", "build", "--installer", "uv")


def run(*command, cwd=ROOT):
    print("$", *command, flush=True)
    subprocess.run([str(word) for word in command], cwd=str(cwd), check=True)


def build(folder):
    """Build as a releaser does, from the files that git knows, in a folder of their own."""
    sources = folder / "sources"
    shutil.rmtree(folder, ignore_errors=True)
    for name in known_files():
        target = sources / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
        target.chmod(0o755 if os.access(str(ROOT / name), os.X_OK) else 0o644)
    before = sorted(sources.rglob("*"))
    run(*BUILD, "--wheel", "--outdir", folder / "wheel", sources)
    assert before == sorted(sources.rglob("*")), "a build leaves files in the sources"
    run(*BUILD, "--outdir", folder / "dist", sources)
    return sorted((folder / "dist").iterdir())


def known_files():
    """The files of the commit, new ones included; in an unpacked sdist, all that is there."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        names = (
            subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
            .stdout.decode()
            .split("\n")
        )
        return [name for name in names if name and (ROOT / name).exists()]
    return [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]


def check_wheel(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    page = zipfile.ZipFile(wheel).read(metadata).decode("utf-8")
    assert "blob/main/docs/setup.rst>`_" in page, "no link to the documentation"
    assert not re.search(r"<\w+/?[\w/]*\.rst>|: docs/", page), "a link to nowhere"
    files = {name for name in known_files() if name.startswith("auth0_stt/")}
    assert "auth0_stt/py.typed" in names, "the wheel lacks py.typed"
    assert {"auth0_stt"} == {top for top in tops if not top.endswith(".dist-info")}, (
        f"the wheel has {tops}"
    )
    packed = {name for name in names if name.startswith("auth0_stt/")}
    assert files == packed, f"not both in the sources and the wheel: {files ^ packed}"


def check_sdist(sdist, folder):
    with tarfile.open(sdist) as archive:
        archive.extractall(folder)
    (sources,) = folder.iterdir()
    environment = folder / "venv"
    binaries = environment / ("Scripts" if os.name == "nt" else "bin")
    run("uv", "venv", "--quiet", "--python", sys.executable, environment)
    run(
        *[
            "uv",
            "pip",
            "install",
            "--quiet",
            "--python",
            environment,
            "-r",
            sources / "tests" / "requirements.txt",
        ],
        f"{sources}[testing,private-key-jwt]",
    )
    # That it is complete shows in what can be collected; the tests themselves run elsewhere.
    run(binaries / "pytest", "-qq", "--collect-only", cwd=sources)
    run(binaries / "pytest", "-q", *(sys.argv[2:] or SOME_TESTS), cwd=sources)


def main():
    scratch = Path(sys.argv[1])
    first = build(scratch / "first")
    second = build(scratch / "second")
    run(sys.executable, "-m", "twine", "check", "--strict", *first)
    for one, other in zip(first, second):
        digests = [
            hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)
        ]
        print(digests[0], one.name, flush=True)
        assert digests[0] == digests[1], f"{one.name} differs between two builds"
    wheel, sdist = first
    check_wheel(wheel)
    shutil.rmtree(scratch / "sdist", ignore_errors=True)
    (scratch / "sdist").mkdir()
    check_sdist(sdist, scratch / "sdist")


if __name__ == "__main__":
    main()
