"""Puts the pinned third-party clients in place, once for each state of their lock files."""

import hashlib
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE / ".cache"


def _unless_done(target, lock, act):
    """Runs `act` unless `target` was filled from this very lock file."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    mark = target / ".installed-from"
    if mark.exists() and mark.read_text() == digest:
        return
    shutil.rmtree(target, ignore_errors=True)
    act()
    mark.write_text(digest)


def python(*names):
    """One environment for each of these pinned requirements files, else for those of the clients."""
    for name in names or ("1", "2", "openapi"):
        target = CACHE / f"python-{name}"
        lock = HERE / "python" / f"requirements-{name}.txt"

        def act(target=target, lock=lock):
            made = subprocess.run([sys.executable, "-m", "venv", target], capture_output=True)
            if made.returncode != 0:  # Debian ships venv apart
                subprocess.run(["apt-get", "install", "-y", "-q", "python3-venv"], check=True)
                subprocess.run([sys.executable, "-m", "venv", "--clear", target], check=True)
            subprocess.run([target / "bin" / "pip", "install", "--quiet", "--requirement", lock], check=True)

        _unless_done(target, lock, act)


def node():
    """The Node packages of `node/package-lock.json`."""
    _packages(HERE / "node")


def at_home():
    """The clients of `at-home/package-lock.json`, 1.3 GB of them."""
    CACHE.mkdir(exist_ok=True)
    # `npm ci` wants the programs of every platform in the lock file
    _packages(HERE / "at-home", "install", "--no-save")


def _packages(folder, *how):
    command = ["npm", *(how or ["ci"]), "--no-progress", "--loglevel", "error"]
    _unless_done(folder / "node_modules", folder / "package-lock.json", lambda: subprocess.run(command, cwd=folder, check=True))
