#!/usr/bin/env python3
"""rtcheck counts what a thread does, only in its window of time, and under its name.

usage: test_rtcheck.py RTCHECK_SO SAMPLE_PROGRAM
"""

import json
import os
import subprocess
import sys
import tempfile

EXPECTED = {"alloc": 3, "free": 3, "mutex": 10, "cond": 5, "log": 1, "eventfd_write": 1,
            "eventfd_read": 1, "poll": 1}


def run_sample(library, sample, **window):
    with tempfile.NamedTemporaryFile() as out:
        env = {**os.environ, **window, "LD_PRELOAD": library, "VSND_RTCHECK_OUT": out.name}
        subprocess.run([sample], env=env, check=True, stderr=subprocess.DEVNULL, timeout=20)
        threads = json.load(open(out.name))["threads"]
    return {thread["name"]: {k: v for k, v in thread.items() if k not in ("tid", "name") and v}
            for thread in threads}


def main():
    library, sample = sys.argv[1:3]
    seen = run_sample(library, sample)
    before = run_sample(library, sample, VSND_RTCHECK_FROM="60")
    after = run_sample(library, sample, VSND_RTCHECK_UNTIL="0")
    print("sinner:", seen.get("sinner"), "saint:", seen.get("saint"))
    assert seen.get("sinner") == EXPECTED, "the sinner's counts are wrong"
    assert not seen.get("saint"), "the saint did nothing"
    assert not before and not after, "something was counted outside of the window"


if __name__ == "__main__":
    main()
