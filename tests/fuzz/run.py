"""Fuzz one target: `python run.py TARGET [libFuzzer's options] [folders]`."""

import sys

import atheris

# Comparisons of beginnings and ends lead the fuzzer on, too.
atheris.enabled_hooks.add("str")

with atheris.instrument_imports(include=["auth0_stt"]):
    from targets import TARGETS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
