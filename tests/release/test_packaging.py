"""What the files around the package say of it agrees with it, and with each other."""

import configparser
import re
from pathlib import Path

import auth0_stt

ROOT = Path(__file__).parents[2]


def read(name):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(str(ROOT / name), encoding="utf-8")
    return parser


def pins(text, pattern):
    return dict(re.findall(pattern, text, re.MULTILINE))


def test_the_floors_are_what_the_oldest_environment_runs():
    """A floor is a promise only if the tests run on it."""
    floors = pins(
        read("setup.cfg")["options"]["install_requires"], r"^(\w+)>=([\d.]+)$"
    )
    assert {"attrs", "requests", "urllib3"} == set(floors)
    assert floors == pins(
        read("tox.ini")["testenv:oldest"]["deps"], r"^(\w+)==([\d.]+)$"
    )


def test_every_python_is_run():
    """Each Python that setup.cfg names runs in an environment of the list."""
    tox = read("tox.ini")
    run = set()
    for name in tox["tox"]["env_list"].split():
        bases = tox.get("testenv:" + name, "base_python", fallback="")
        version = re.search(r"3\.\d+", bases) or re.fullmatch(r"py3(\d+)", name)
        if version:
            run.add(version[0].replace("py3", "3."))
    named = re.findall(
        r"Python :: (3\.\d+)$", read("setup.cfg")["metadata"]["classifiers"], re.M
    )
    assert set(named) == run


def test_distributions_have_their_versions():
    """An environment with a distribution's name pins both libraries above the floors."""
    tox = read("tox.ini")
    for name in ("rhel9", "debian12", "ubuntu24", "debian13"):
        assert name in tox["tox"]["env_list"].split()
        pinned = pins(tox["testenv:" + name]["deps"], r"^(\w+)==([\d.]+)$")
        assert ["requests", "urllib3"] == sorted(pinned)
        assert [2, 25] <= [int(part) for part in pinned["requests"].split(".")][:2]


def test_every_environment_is_in_the_list():
    """What `tox` does not run by default, nobody runs; the others say so."""
    tox = read("tox.ini")
    named = {section.partition(":")[2] for section in tox.sections() if ":" in section}
    on_demand = named - set(tox["tox"]["env_list"].split())
    assert {"bench", "fuzz", "optional-libraries"} == on_demand
    for name in on_demand:
        assert "(on demand)" in tox["testenv:" + name]["description"]


def test_the_version_stands_in_one_place():
    """setup.cfg and the changelog follow the package; a release has a date."""
    assert "attr: auth0_stt.__version__" == read("setup.cfg")["metadata"]["version"]
    assert re.search(
        rf"^{re.escape(auth0_stt.__version__)} \(20\d\d-\d\d-\d\d\)$",
        (ROOT / "CHANGELOG.rst").read_text("utf-8"),
        re.M,
    )


def test_the_home_of_the_project_stands_in_one_place():
    """Who gives it one changes setup.cfg, and nothing else."""
    urls = re.findall(r"= (https://.*)", read("setup.cfg")["metadata"]["project_urls"])
    home = min(urls, key=len)
    assert [home] * len(urls) == [url[: len(home)] for url in urls]
    pages = [
        *ROOT.glob("*.rst"),
        *ROOT.glob("docs/*.rst"),
        *ROOT.glob("examples/*.rst"),
    ]
    assert len(pages) > 10
    assert [] == [page for page in pages if home in page.read_text("utf-8")]


def test_ci_gives_the_commands_of_the_readme():
    """What a reader is told to type is what is tested."""
    script, readme = (
        (ROOT / name).read_text("utf-8") for name in (".ci/run", "README.rst")
    )
    commands = re.findall(r"^(?:demo|tests)='(.*)'$", script, re.M)
    assert 2 == len(commands)
    for command in commands:
        assert f"\n    {command}\n" in readme


def test_every_file_of_the_package_is_packed():
    """A page, a style or a script that setup.cfg does not name is not in the wheel."""
    patterns = read("setup.cfg")["options.package_data"]
    packed = {
        path
        for package, names in patterns.items()
        for name in names.replace(",", " ").split()
        for path in (ROOT / package.replace(".", "/")).glob(name)
    }
    files = {path for path in (ROOT / "auth0_stt").rglob("*.*") if path.is_file()}
    assert {path for path in files if path.suffix not in (".py", ".pyc")} == packed


def test_every_folder_with_modules_is_packed():
    """A package that setup.cfg does not name is not in the wheel."""
    packages = read("setup.cfg")["options"]["packages"].split()
    folders = {path.parent for path in (ROOT / "auth0_stt").rglob("*.py")}
    assert {ROOT / package.replace(".", "/") for package in packages} == folders
