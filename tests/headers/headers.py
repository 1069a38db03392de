#!/usr/bin/env python3
"""Compile each public header alone.

usage: headers.py COMPILER INCLUDE_DIR

A compiler whose name ends in ++ compiles as C++11 and C++17, another as C11.
"""

import pathlib
import subprocess
import sys

FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]


def modes(compiler):
    """(language, standard) of each way to include a header."""
    if compiler.endswith("++"):
        return [("c++", "c++11"), ("c++", "c++17")]
    return [("c", "c11")]


def compiles(compiler, include, header, language, standard):
    program = f"#include <{header}>\n#include <{header}>\n"
    command = [compiler, "-x", language, f"-std={standard}", *FLAGS, f"-I{include}", "-"]
    done = subprocess.run(command, input=program, text=True, timeout=60)
    return done.returncode == 0


def main():
    compiler, include = sys.argv[1], pathlib.Path(sys.argv[2])
    headers = sorted(str(path.relative_to(include)) for path in include.rglob("*.h"))
    failed = not headers
    for header in headers:
        for language, standard in modes(compiler):
            if not compiles(compiler, include, header, language, standard):
                print(f"{header} does not stand alone as {standard}")
                failed = True
    print(f"{len(headers)} headers")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
