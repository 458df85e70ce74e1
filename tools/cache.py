"""What the scripts in this folder share: a cache outside the repository, locks, progress, Python environments.

Everything lies under ${XDG_CACHE_HOME:-~/.cache}/fkaks. An entry is a folder that counts only once it holds the
file `.complete`, so that an interrupted run is made good by the next one. Only the standard library is used.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fkaks"


class Failed(Exception):
    """Something could not be obtained; the text says what, why and what to do."""


def say(text):
    """Prints progress. Results go to standard output, so progress goes to standard error."""
    print(f"fkaks: {text}", file=sys.stderr, flush=True)


def entry(name, what, make):
    """Returns the folder ROOT/name, calling make(folder) under a lock if it is not there yet."""
    folder = ROOT / name
    complete = folder / ".complete"
    if complete.exists():
        return folder
    with _lock(folder.with_name(folder.name + ".lock"), what):
        if complete.exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        say(f"{what}: obtaining, to be kept in {folder}")
        started = time.monotonic()
        make(folder)
        complete.touch()
        say(f"{what}: done in {time.monotonic() - started:.0f} s")
    return folder


def have(name):
    """Tells whether the entry ROOT/name is there and whole."""
    return (ROOT / name / ".complete").exists()


def run(command, **options):
    """Runs a command with its output sent to standard error, and raises Failed when it does not succeed."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, **options)
    except OSError as error:
        raise Failed(f"cannot start `{command[0]}`: {error}") from error
    if done.returncode:
        raise Failed(f"`{' '.join(command)}` ended with exit code {done.returncode}; its messages are above")


def output(command, **options):
    """Runs a command and returns what it printed on standard output."""
    command = [str(part) for part in command]
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, check=True, text=True, stdout=subprocess.PIPE, **options
        ).stdout
    except OSError as error:
        raise Failed(f"cannot start `{command[0]}`: {error}") from error
    except subprocess.CalledProcessError as error:
        raise Failed(f"`{' '.join(command)}` ended with exit code {error.returncode}") from error


def environment(folder, requirements):
    """Makes a Python virtual environment in folder with these requirements, and returns its interpreter.

    Only built wheels are taken: no package's own build script runs.
    """
    python = folder / "bin" / "python"
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder])
        run([uv, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", python, *requirements])
        return python
    try:
        run([sys.executable, "-m", "venv", folder])
    except Failed as error:
        raise Failed(f"{error}\nFix: install Python's venv module (Debian: python3-venv), or uv") from error
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", *requirements])
    return python


@contextlib.contextmanager
def _lock(path, what):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{what}: another run is obtaining it, waiting for that one")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
