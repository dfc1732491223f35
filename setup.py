"""The same commit gives the same bytes, whoever builds it and whenever. All else is in setup.cfg."""

import gzip
import io
import os
import tarfile

from setuptools import setup
from setuptools.command.sdist import sdist

# What `bdist_wheel` writes as the time of every file; 2026-01-01 where nobody says otherwise.
MOMENT = int(os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600"))


class ReproducibleSdist(sdist):
    """setuptools' own leaves the time of the build, its user and the order of the disk in the archive."""

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


setup(cmdclass={"sdist": ReproducibleSdist})
