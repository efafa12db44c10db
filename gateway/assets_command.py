"""GraphiQL's files, from pinned npm packages into ``gateway/assets/``: then the page needs nothing from elsewhere.

Run as ``ss12000-gateway assets``, or ``python -m gateway.assets_command`` (which needs the standard library only).
React stays at 18 and GraphiQL at 4: the last ones that publish files a browser runs without a bundler.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
"""Where the page looks for installed files."""

NPM_SECONDS = 180.0
MAX_FILE = 8 * 1024 * 1024


class AssetsError(Exception):
    """The files could not be put in place; the message says what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its path inside the npm package, its installed name, and its Subresource Integrity hash (W3C SRI)."""

    member: str
    file: str
    integrity: str


@dataclass(frozen=True, slots=True)
class Package:
    """One npm package at one version, with the hash that the registry publishes for its archive."""

    name: str
    version: str
    integrity: str
    assets: tuple[Asset, ...]

    @property
    def archive(self) -> str:
        """The file name that ``npm pack`` gives."""
        return f"{self.name}-{self.version}.tgz"


REACT = Package(
    "react",
    "18.3.1",
    "sha512-wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ==",
    (
        Asset(
            "umd/react.production.min.js",
            "react-18.3.1.min.js",
            "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
        ),
    ),
)
REACT_DOM = Package(
    "react-dom",
    "18.3.1",
    "sha512-5m4nQKp+rZRb09LNH59GM4BxTh9251/ylbKIbpe7TpGxfJ+9kv6BLkLBXIjjspbgbnIBNqlI23tRnTWT0snUIw==",
    (
        Asset(
            "umd/react-dom.production.min.js",
            "react-dom-18.3.1.min.js",
            "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
        ),
    ),
)
GRAPHIQL = Package(
    "graphiql",
    "4.1.2",
    "sha512-rNlzQIAzm6i2KBXmVQWBgLvt0TloxFVB2d18bukvdsvjEuFDHsKx5IVOomL1W1o5WW+tE54+ioHb2AEKzO2cUg==",
    (
        Asset(
            "graphiql.min.js",
            "graphiql-4.1.2.min.js",
            "sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B",
        ),
        Asset(
            "graphiql.min.css",
            "graphiql-4.1.2.min.css",
            "sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr",
        ),
    ),
)

PACKAGES = (REACT, REACT_DOM, GRAPHIQL)
"""In the order in which a page must load them."""


def integrity(algorithm: str, data: bytes) -> str:
    """``data``'s hash the way npm and SRI write it: the algorithm, a hyphen, base64."""
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def installed(directory: Path) -> bool:
    """Whether every file is in ``directory`` and is the one that was pinned."""
    for package in PACKAGES:
        for asset in package.assets:
            path = directory / asset.file
            if not path.is_file() or integrity("sha384", path.read_bytes()) != asset.integrity:
                return False
    return True


def install(target: Path = ASSETS) -> None:
    """Fetch the packages with npm, verify them, and put their files (and licences) into ``target``.

    Raises AssetsError if npm is missing, fails, or delivers anything but what is pinned here.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise AssetsError("npm is not installed. Install Node.js, or leave the page to load GraphiQL from a CDN.")
    with tempfile.TemporaryDirectory() as temporary:
        downloads = Path(temporary)
        _pack(npm, downloads)
        files: dict[str, bytes] = {}
        for package in PACKAGES:
            files |= unpack(package, downloads / package.archive)
    target.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        # A running gateway may be serving the old file: replace it whole, never write into it.
        partial = target / f".{name}.partial"
        partial.write_bytes(data)
        os.replace(partial, target / name)


def _pack(npm: str, directory: Path) -> None:
    command = [npm, "pack", "--silent", "--ignore-scripts", *(f"{p.name}@{p.version}" for p in PACKAGES)]
    try:
        run = subprocess.run(command, cwd=directory, timeout=NPM_SECONDS, capture_output=True, text=True, check=False)
    except subprocess.TimeoutExpired:
        raise AssetsError(f"npm pack took more than {NPM_SECONDS:.0f} s. Is the npm registry reachable?") from None
    if run.returncode:
        raise AssetsError(f"npm pack failed ({run.returncode}): {run.stderr.strip()[-500:]}")


def unpack(package: Package, archive: Path) -> dict[str, bytes]:
    """The package's files by installed name. Raises AssetsError if archive or file is not the one pinned."""
    if not archive.is_file():
        raise AssetsError(f"npm did not deliver {package.archive}.")
    if integrity("sha512", archive.read_bytes()) != package.integrity:
        raise AssetsError(f"{package.archive} is not the archive that was pinned: its sha512 differs.")
    files = {}
    with tarfile.open(archive, "r:gz") as tar:
        for asset in package.assets:
            data = _member(tar, asset.member)
            if integrity("sha384", data) != asset.integrity:
                raise AssetsError(f"{asset.member} in {package.archive} is not the file that was pinned.")
            files[asset.file] = data
        files[f"{package.name}-LICENSE"] = _member(tar, "LICENSE")
    return files


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        file = tar.extractfile(f"package/{name}")
    except KeyError:
        file = None
    if file is None:
        raise AssetsError(f"The package has no file {name}.")
    return file.read(MAX_FILE)


if __name__ == "__main__":
    try:
        install()
    except AssetsError as error:
        sys.exit(str(error))
