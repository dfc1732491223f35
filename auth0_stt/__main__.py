"""``python -m auth0_stt``: the same as the command ``auth0-stt``."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
