"""Reproducible archives, links that lead somewhere, and a clone that stays clean.

The same commit gives the same bytes, whoever builds it and whenever. Everything else is
in setup.cfg.
"""

import atexit
import configparser
import gzip
import io
import os
import re
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from setuptools import setup
from setuptools.command.sdist import sdist

# The time that `bdist_wheel` gives to every file: 2026-01-01 unless set.
MOMENT = int(os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600"))


class ReproducibleSdist(sdist):
    """Leaves out the time and user of the build, and the order of files on the disk."""

    def make_archive(self, base_name, *args, base_dir, **kwargs):
        path = base_name + ".tar.gz"
        packed = io.BytesIO()
        with tarfile.open(
            fileobj=packed, mode="w", format=tarfile.PAX_FORMAT
        ) as archive:
            archive.add(base_dir, filter=_anonymous)  # in sorted order
        with open(path, "wb") as raw, gzip.GzipFile(
            "", "wb", mtime=MOMENT, fileobj=raw
        ) as zipped:
            zipped.write(packed.getvalue())
        return path


def _anonymous(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = MOMENT
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def _options():
    """Build elsewhere: `pip install .` leaves no build/ and no *.egg-info here."""
    if "sdist" in sys.argv:  # It packs the *.egg-info, which has to be beside the rest.
        return {}
    scratch = tempfile.mkdtemp(prefix="auth0-stt-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return {"build": {"build_base": scratch}, "egg_info": {"egg_base": scratch}}


def _long_description():
    """The README, whose links to files have no meaning on the package page."""
    here = Path(__file__).parent
    config = configparser.ConfigParser(interpolation=None)
    config.read(str(here / "setup.cfg"), encoding="utf-8")
    urls = config["metadata"]["project_urls"]
    files = re.search(r"^Source = (.*)$", urls, re.M).group(1) + "blob/main/"
    return re.sub(
        r"(?m)(?<=<)(?!https:)(?=[\w/]+\.rst>`_)|(?<=: )(?=docs/[\w/]+\.rst$)",
        files,
        (here / "README.rst").read_text("utf-8"),
    )


setup(
    cmdclass={"sdist": ReproducibleSdist},
    long_description=_long_description(),
    options=_options(),
)
