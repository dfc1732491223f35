"""Install what the applications in Node.js need, where there is npm; else say so."""

import shutil
import subprocess
from pathlib import Path

npm = shutil.which("npm")
if npm is None:
    print("There is no npm: the tests with Node.js will be skipped.")
else:
    options = ["--no-audit", "--no-fund", "--no-package-lock"]
    subprocess.run([npm, "install", *options], cwd=Path(__file__).parent, check=True)
