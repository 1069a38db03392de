#!/usr/bin/env python3
"""Hold which part of the tree may include which.

usage: layering.py ROOT | --self-test

Dependencies point one way:

    wire, virtqueue <- device <- (vhost_user, audio) <- daemon

vhost_user, audio and daemon see the library as any embedder does, through
<vsnd/*.h>.  The probe has its own idea of the wire and shares no header with
the device.  The library needs nothing but libc.
"""

import pathlib
import re
import sys
import tempfile

PUBLIC = "include/vsnd"

# Part of the tree -> the parts whose headers it may include, besides its own.
ALLOWED = {
    PUBLIC: set(),
    "src/wire": {PUBLIC},
    "src/virtqueue": {PUBLIC},
    "src/device": {PUBLIC, "src/wire", "src/virtqueue"},
    "src/vhost_user": {PUBLIC},
    "src/audio": {PUBLIC},
    "src/daemon": {PUBLIC, "src/vhost_user", "src/audio"},
    "src/probe": set(),
    "src/ctl": set(),
}

# The library: these parts include libc's headers only.
LIBRARY = {PUBLIC, "src/wire", "src/virtqueue", "src/device"}

LIBC = set("""
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings
tgmath threads time uchar wchar wctype
dirent endian byteswap fcntl poll pthread sched semaphore unistd
sys/eventfd sys/epoll sys/mman sys/stat sys/time sys/timerfd sys/types sys/uio
""".split())

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def part_of(path):
    """include/vsnd/x.h -> include/vsnd, src/a/b/x.c -> src/a, tests/… -> tests."""
    folders = path.parts[:-1]
    if folders[:1] == ("tests",):
        return "tests"
    return "/".join(folders[:2])


def candidates(root, source, kind, name):
    if kind == '"':
        yield source.parent / name
    yield root / "src" / name
    yield root / "include" / name
    yield root / name


def find(root, source, kind, name):
    """The file of the tree that an #include means, relative to root, or None."""
    for path in candidates(root, source, kind, name):
        if path.is_file():
            return path.resolve().relative_to(root)
    return None


def fault_of(root, source, kind, name):
    """What is wrong with one #include, or None."""
    part = part_of(source.relative_to(root))
    target = find(root, source, kind, name)
    if target is None:
        if kind == '"':
            return "is not in the tree"
        if part in LIBRARY and name.removesuffix(".h") not in LIBC:
            return "is not libc's, and the library needs nothing else"
        return None
    other = part_of(target)
    if other != part and other not in ALLOWED[part]:
        return f"{part} must not include {other}"
    return None


def faults(root):
    """All faults of the tree as lines."""
    root = root.resolve()
    files = sorted(p for top in ("src", "include") for p in (root / top).rglob("*.[ch]"))
    if not files:
        yield f"{root}: no sources"
    for path in files:
        where = path.relative_to(root)
        if part_of(where) not in ALLOWED:
            yield f"{where}: layering.py has no rule for {part_of(where)}"
            continue
        for kind, name in INCLUDE.findall(path.read_text()):
            fault = fault_of(root, path, kind, name)
            if fault:
                yield f"{where}: {name} {fault}"


# A legal tree, and what each case adds to it: file, text, expected fault or None.
LEGAL = {
    "include/vsnd/vsnd.h": "#include <stdint.h>\n",
    "src/wire/wire.h": "#include <vsnd/vsnd.h>\n",
    "src/virtqueue/vq.h": "#include <stdbool.h>\n#include <vsnd/vsnd.h>\n",
    "src/device/device.h": '#include "wire/wire.h"\n#include "virtqueue/vq.h"\n',
    "src/vhost_user/server.h": "#include <vsnd/vsnd.h>\n#include <sys/socket.h>\n",
    "src/audio/file.h": "#include <sndfile.h>\n#include <vsnd/vsnd.h>\n",
    "src/daemon/main.c": '#include "vhost_user/server.h"\n#include "audio/file.h"\n',
    "src/probe/ring.h": "#include <stdint.h>\n",
    "src/probe/main.c": '#include "ring.h"\n#include "probe/ring.h"\n',
    "tests/unit/t.h": "\n",
}
CASES = [
    ("src/wire/a.c", '#include "wire.h"\n', None),
    ("src/wire/a.c", '#include "virtqueue/vq.h"\n', "src/wire must not include src/virtqueue"),
    ("src/virtqueue/a.c", '#include "wire/wire.h"\n', "src/virtqueue must not include src/wire"),
    ("src/wire/a.c", '#include "device/device.h"\n', "src/wire must not include src/device"),
    ("src/virtqueue/a.c", '# include "../device/device.h"\n', "must not include src/device"),
    ("src/device/a.c", '#include "audio/file.h"\n', "src/device must not include src/audio"),
    ("src/device/a.c", "#include <sndfile.h>\n", "sndfile.h is not libc's"),
    ("src/device/a.c", "#include <linux/virtio_snd.h>\n", "is not libc's"),
    ("include/vsnd/a.h", '#include "device/device.h"\n', "must not include src/device"),
    ("include/vsnd/a.h", "#include <sndfile.h>\n", "is not libc's"),
    ("src/vhost_user/a.c", '#include "virtqueue/vq.h"\n', "must not include src/virtqueue"),
    ("src/vhost_user/a.c", '#include "audio/file.h"\n', "must not include src/audio"),
    ("src/audio/a.c", '#include "device/device.h"\n', "src/audio must not include src/device"),
    ("src/audio/a.c", '#include "src/wire/wire.h"\n', "src/audio must not include src/wire"),
    ("src/daemon/a.c", '#include "device/device.h"\n', "src/daemon must not include src/device"),
    ("src/probe/a.c", "#include <vsnd/vsnd.h>\n", "src/probe must not include include/vsnd"),
    ("src/probe/a.c", '#include "../wire/wire.h"\n', "src/probe must not include src/wire"),
    ("src/probe/a.c", '#include "vhost_user/server.h"\n', "must not include src/vhost_user"),
    ("src/daemon/a.c", '#include "tests/unit/t.h"\n', "src/daemon must not include tests"),
    ("src/daemon/a.c", '#include "gone.h"\n', "gone.h is not in the tree"),
    ("src/new/a.c", "\n", "no rule for src/new"),
]


def make_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def case_holds(name, text, expected):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        make_tree(root, {**LEGAL, name: text})
        found = list(faults(root))
    if expected is None:
        return not found
    return len(found) == 1 and found[0].startswith(name) and expected in found[0]


def self_test():
    wrong = [case for case in CASES if not case_holds(*case)]
    for name, text, expected in wrong:
        print(f"{name} with {text.strip()!r}: expected {expected or 'no fault'}")
    print(f"{len(CASES)} trees, {len(wrong)} judged wrongly")
    return int(bool(wrong))


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    found = list(faults(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "layers hold")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
