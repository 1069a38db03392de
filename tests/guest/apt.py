"""Packages from the Debian mirror this machine already uses, without touching its apt configuration.

A private apt directory (own source list, package lists, archives) sees the
suite of this machine and, on Debian 12, its backports, where QEMU 10 and
Linux 6.12 are.  The mirror is taken from the machine's own sources.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

ETC = Path("/etc/apt")
WITH_BACKPORTS = {"bookworm"}
UPDATE_LIMIT_S = 180
DOWNLOAD_LIMIT_S = 600
INSTALL_LIMIT_S = 600


class AptError(RuntimeError):
    """A package cannot be had; the text says which and why."""


def codename():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    raise AptError("/etc/os-release names no VERSION_CODENAME")


def parse_deb822(text):
    """The stanzas of a .sources file, each a dict; continuation lines stay inside their value."""
    for stanza in re.split(r"\n\s*\n", text):
        fields, key = {}, None
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and key:
                fields[key] += "\n" + line
            elif ":" in line:
                key, value = line.split(":", 1)
                key = key.strip().lower()
                fields[key] = value.strip()
        if fields:
            yield fields


def parse_one_line(text):
    """The entries of a .list file, as the same dicts."""
    for line in text.splitlines():
        m = re.match(r"\s*(deb)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if not m:
            continue
        fields = {"types": m[1], "uris": m[3], "suites": m[4], "components": m[5].strip()}
        for option in shlex.split(m[2] or ""):
            name, _, value = option.partition("=")
            fields[name.lower()] = value
        yield fields


def machine_sources():
    files = [ETC / "sources.list", *sorted((ETC / "sources.list.d").glob("*"))]
    for path in files:
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        if path.suffix == ".list":
            yield from parse_one_line(text)
        elif path.suffix == ".sources":
            yield from parse_deb822(text)


def is_debian(source, suite):
    return ("deb" in source.get("types", "").split()
            and suite in source.get("suites", "").split()
            and "main" in source.get("components", "").split()
            and source.get("enabled", "yes").lower() not in ("no", "false", "off", "0")
            and not source.get("uris", "").startswith("cdrom:"))


def stanza(source, suite):
    lines = ["Types: deb", f"URIs: {source['uris']}", f"Suites: {suite}", "Components: main"]
    if "signed-by" in source:
        lines.append(f"Signed-By: {source['signed-by']}")
    if "trusted" in source:
        lines.append(f"Trusted: {source['trusted']}")
    return "\n".join(lines) + "\n"


def private_sources():
    """The text of our one .sources file."""
    release = codename()
    suites = [release, f"{release}-updates", f"{release}-security"]
    found = [(source, suite) for suite in suites for source in machine_sources()
             if is_debian(source, suite)]
    if not found or found[0][1] != release:
        raise AptError(f"the apt sources of this machine have no 'main' of {release}")
    if release in WITH_BACKPORTS:
        found.append((found[0][0], f"{release}-backports"))
    return "\n".join(stanza(source, suite) for source, suite in found)


def as_root():
    """What to put before a command that needs root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise AptError("this needs root, and there is no sudo")


class PrivateApt:
    """apt-get and apt-cache on a directory of our own, which the caller removes."""

    def __init__(self, home):
        self.home = Path(home)
        for sub in ("etc/sources.list.d", "lists/partial", "cache/archives/partial"):
            (self.home / sub).mkdir(parents=True, exist_ok=True)
        (self.home / "etc/sources.list.d/vsnd.sources").write_text(private_sources())
        self._run("apt-get", "-q", "update", limit_s=UPDATE_LIMIT_S)

    def _options(self):
        settings = {
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": self.home / "etc/sources.list.d",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": self.home / "lists",
            "Dir::Cache": self.home / "cache",
            "APT::Keep-Downloaded-Packages": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            # Our directory is often below a home that apt's own user cannot enter.
            "APT::Sandbox::User": "root",
            "DPkg::Lock::Timeout": "120",
        }
        return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def _run(self, program, *args, limit_s, prefix=(), cwd=None):
        command = [*prefix, program, *self._options(), *args]
        try:
            done = subprocess.run(command, cwd=cwd, timeout=limit_s, text=True, check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        except subprocess.TimeoutExpired as late:
            raise AptError(f"{program} {' '.join(args)}: no end after {limit_s} s") from late
        if done.returncode != 0:
            raise AptError(f"{program} {' '.join(args)}: {done.stderr.strip() or done.stdout[-500:]}")
        return done.stdout

    def candidates(self, package):
        """The versions of a package that can be had, best first, as dicts of their fields."""
        text = self._run("apt-cache", "show", package, limit_s=60)
        return list(parse_deb822(text))

    def download(self, packages, into):
        self._run("apt-get", "-q", "download", *packages, cwd=into, limit_s=DOWNLOAD_LIMIT_S)

    def install(self, package, suite=None):
        target = ["-t", suite] if suite else []
        self._run("apt-get", "-q", "-y", "--no-install-recommends", *target, "install", package,
                  prefix=[*as_root(), "env", "DEBIAN_FRONTEND=noninteractive"],
                  limit_s=INSTALL_LIMIT_S)


def unpack(deb, into):
    subprocess.run(["dpkg", "-x", str(deb), str(into)], check=True, timeout=120)
