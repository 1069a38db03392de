"""The guest: a kernel, and an initramfs with busybox, alsa-utils and the few modules that it needs.

Built from Debian packages into the cache, once; the directory's name carries
a hash of the scripts that made it, so a changed script makes a new image.
"""

import argparse
import contextlib
import fcntl
import hashlib
import lzma
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import apt

HERE = Path(__file__).resolve().parent
RECIPE = ("image.py", "apt.py", "init")

KERNEL_SERIES = "6.12."
MODULES = ("virtio_snd", "9p", "9pnet_virtio")
ALSA_TOOLS = ("aplay", "arecord", "amixer", "alsabat", "speaker-test")
# What glibc loads by itself when a thread of alsabat ends.
LOADED_LATER = ("libgcc_s.so.1",)
LIBC_DIRS = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
LOADER = "ld-linux-x86-64.so.2"
QEMU = "qemu-system-x86_64"


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("VSND_CACHE") or Path(base) / "vsnd")


@contextlib.contextmanager
def locked(path):
    """One builder at a time."""
    with open(path, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# -- packages

def kernel_package(box):
    """The full kernel: Debian's cloud flavour is built without sound."""
    versions = box.candidates("linux-image-amd64")
    chosen = next((v for v in versions if v["version"].startswith(KERNEL_SERIES)), versions[0])
    return chosen["depends"].split()[0]


def library_package(box):
    """libasound2 was renamed in Debian 13."""
    try:
        return [p["package"] for p in box.candidates("libasound2t64")][0]
    except apt.AptError:
        return "libasound2"


def fetch(work):
    """Download and unpack everything the guest is made of; the kernel apart from the rest."""
    box = apt.PrivateApt(work / "apt")
    kernel = kernel_package(box)
    others = ["busybox-static", "alsa-utils", library_package(box), "libasound2-data", "libc6", "libgcc-s1",
              "libfftw3-single3"]
    for part, packages in (("kernel", [kernel]), ("base", others)):
        debs = work / f"{part}.debs"
        debs.mkdir()
        box.download(packages, debs)
        for deb in sorted(debs.glob("*.deb")):
            apt.unpack(deb, work / part)
        shutil.rmtree(debs)
    return work / "kernel", work / "base"


def check_config(kernel):
    (config,) = (kernel / "boot").glob("config-*")
    text = config.read_text()
    for option in ("CONFIG_SND_VIRTIO=m", "CONFIG_VIRTIO_PCI=y", "CONFIG_VIRTIO_CONSOLE=y"):
        if f"\n{option}\n" not in text:
            raise apt.AptError(f"{config.name} lacks {option}")


# -- modules

def module_name(path):
    return path.name.split(".ko")[0].replace("-", "_")


def read_module(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", str(path)], check=True, capture_output=True,
                              timeout=60).stdout
    return data


def module_depends(data):
    m = re.search(rb"\0depends=([^\0]*)\0", data)
    return [d.replace("-", "_") for d in m[1].decode().split(",") if d] if m else []


def needed_modules(kernel):
    """{name: (content, dependencies)} of MODULES and all below them."""
    (tree,) = (d for lib in ("lib", "usr/lib") for d in (kernel / lib).glob("modules/*"))
    files = {module_name(p): p for p in tree.rglob("*.ko*")}
    needed, todo = {}, list(MODULES)
    while todo:
        name = todo.pop()
        if name in needed:
            continue
        data = read_module(files[name])
        needed[name] = (data, module_depends(data))
        todo += needed[name][1]
    return tree.name, needed


def all_depends(name, modules):
    """Every module below this one, each before all that it needs, as modules.dep wants them."""
    after = []

    def visit(n):
        for dep in modules[n][1]:
            visit(dep)
        if n not in after:
            after.append(n)

    visit(name)
    return after[-2::-1]


def install_modules(kernel, root):
    release, modules = needed_modules(kernel)
    where = root / "lib/modules" / release
    where.mkdir(parents=True)
    lines = []
    for name, (data, _) in sorted(modules.items()):
        (where / f"{name}.ko").write_bytes(data)
        below = " ".join(f"{dep}.ko" for dep in all_depends(name, modules))
        lines.append(f"{name}.ko: {below}\n")
    (where / "modules.dep").write_text("".join(lines))


# -- programs

def find_library(base, name):
    for sub in LIBC_DIRS:
        if (base / sub / name).exists():
            return base / sub / name
    raise apt.AptError(f"the guest's programs need {name}, which no fetched package holds")


def needed_libraries(base, program):
    """By the guest's own loader, so that nothing of this machine gets in."""
    path = ":".join(str(base / sub) for sub in LIBC_DIRS)
    text = subprocess.run([find_library(base, LOADER), "--list", "--library-path", path, program],
                          check=True, capture_output=True, text=True, timeout=30).stdout
    return {line.split()[0] for line in text.splitlines() if "=>" in line}


def install_programs(base, root):
    busybox = next(p for p in (base / "bin/busybox", base / "usr/bin/busybox") if p.exists())
    for sub in ("bin", "usr/bin", "lib64", "lib/x86_64-linux-gnu"):
        (root / sub).mkdir(parents=True)
    shutil.copy(busybox, root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    libraries = set(LOADED_LATER)
    for tool in ALSA_TOOLS:
        source = base / "usr/bin" / tool
        shutil.copy(source, root / "usr/bin" / tool)
        libraries |= needed_libraries(base, source.resolve())
    for library in libraries - {f"/lib64/{LOADER}"}:
        shutil.copy(find_library(base, library), root / "lib/x86_64-linux-gnu" / library)
    shutil.copy(find_library(base, LOADER), root / "lib64" / LOADER)
    shutil.copytree(base / "usr/share/alsa", root / "usr/share/alsa", symlinks=True)


def make_root(kernel, base, root):
    install_modules(kernel, root)
    install_programs(base, root)
    for sub in ("proc", "sys", "dev", "tmp", "run", "mnt", "root", "etc", "sbin", "usr/sbin"):
        (root / sub).mkdir(exist_ok=True)
    shutil.copy(HERE / "init", root / "init")
    (root / "init").chmod(0o755)


# -- cpio ("newc"), written here so that no root and no cpio is needed

def cpio_entry(name, mode, data=b"", device=(0, 0)):
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def cpio_of(root):
    parts = [cpio_entry("dev", stat.S_IFDIR | 0o755),
             cpio_entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)),
             cpio_entry("dev/null", stat.S_IFCHR | 0o666, device=(1, 3))]
    for path in sorted(root.rglob("*")):
        name, mode = str(path.relative_to(root)), path.lstat().st_mode
        if path.is_symlink():
            parts.append(cpio_entry(name, stat.S_IFLNK | 0o777, os.readlink(path).encode()))
        elif path.is_dir():
            parts.append(cpio_entry(name, stat.S_IFDIR | 0o755))
        else:
            parts.append(cpio_entry(name, stat.S_IFREG | (mode & 0o777 | 0o444), path.read_bytes()))
    parts.append(cpio_entry("TRAILER!!!", 0))
    return b"".join(parts)


# -- the whole

def image_key():
    h = hashlib.sha256(apt.codename().encode())
    for name in RECIPE:
        h.update((HERE / name).read_bytes())
    return h.hexdigest()[:12]


def build(target):
    """Under the lock, so what an interrupted build left behind is nobody's."""
    for rest in target.parent.glob("building-*"):
        shutil.rmtree(rest)
    with tempfile.TemporaryDirectory(prefix="building-", dir=target.parent) as tmp:
        work = Path(tmp)
        kernel, base = fetch(work)
        check_config(kernel)
        out, root = work / "image", work / "root"
        out.mkdir()
        root.mkdir()
        make_root(kernel, base, root)
        (out / "initrd").write_bytes(cpio_of(root))
        (vmlinuz,) = (kernel / "boot").glob("vmlinuz-*")
        shutil.copy(vmlinuz, out / "vmlinuz")
        shutil.copytree(base / "usr/share/sounds/alsa", out / "sounds")
        out.rename(target)


def image():
    """The directory with vmlinuz, initrd and sounds; built when it is not there."""
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"guest-{image_key()}"
    with locked(cache / "lock"):
        if not target.is_dir():
            build(target)
    return target


def has_device(qemu):
    try:
        text = subprocess.run([qemu, "-device", "help"], capture_output=True, text=True,
                              timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return "vhost-user-snd-pci" in text


def qemu():
    """A QEMU with vhost-user-snd-pci; installed when there is none."""
    if has_device(QEMU):
        return QEMU
    release = apt.codename()
    suite = f"{release}-backports" if release in apt.WITH_BACKPORTS else None
    with tempfile.TemporaryDirectory(prefix="vsnd-apt-", ignore_cleanup_errors=True) as home:
        apt.PrivateApt(home).install("qemu-system-x86", suite)
    if not has_device(QEMU):
        raise apt.AptError(f"{QEMU} has no vhost-user-snd-pci, even after installing it")
    return QEMU


def main():
    parser = argparse.ArgumentParser(description="make what the guest tests need")
    parser.add_argument("--no-qemu", action="store_true", help="leave QEMU alone")
    args = parser.parse_args()
    try:
        if not args.no_qemu:
            qemu()
        print(image())
    except (apt.AptError, subprocess.SubprocessError, OSError) as error:
        sys.exit(f"guest image: {error}")


if __name__ == "__main__":
    main()
