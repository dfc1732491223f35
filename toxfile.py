"""tox: look for interpreters where pyenv keeps them, and download none."""

import os
from pathlib import Path

pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
installed = sorted(str(directory) for directory in pyenv.glob("versions/3.*/bin"))
os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), *installed])
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
