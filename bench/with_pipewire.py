#!/usr/bin/env python3
"""Run a command beside a PipeWire server of its own, which has a sink and no devices.

usage: bench/with_pipewire.py COMMAND [ARGUMENT...]
"""

import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "audio"))
import pipewire_host


def main():
    with tempfile.TemporaryDirectory(prefix="vsnd-") as folder:
        host = pipewire_host.Host(folder)
        try:
            host.start()
            return subprocess.run(sys.argv[1:], env=host.env, check=False).returncode
        finally:
            host.close()


if __name__ == "__main__":
    sys.exit(main())
