"""The page comes from this server alone when GraphiQL is installed, else from a CDN with pinned hashes."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gateway import assets_command
from gateway.assets_command import PACKAGES, Asset, AssetsError, Package, installed, integrity, unpack
from gateway.page import page_routes


def client(assets: Path, example: str = "{ sources { name } }") -> TestClient:
    return TestClient(Starlette(routes=page_routes(example, assets=assets)))


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """A small package in the place of the real ones, with its archive in ``tmp_path``."""
    path = archive(tmp_path / "tool-1.0.0.tgz", {"tool.js": b"let tool;", "LICENSE": b"MIT"})
    asset = Asset("tool.js", "tool-1.0.0.js", integrity("sha384", b"let tool;"))
    package = Package("tool", "1.0.0", integrity("sha512", path.read_bytes()), (asset,))
    monkeypatch.setattr(assets_command, "PACKAGES", (package,))
    monkeypatch.setattr("gateway.page.routes.PACKAGES", (package,))
    return package


def test_the_page_has_its_title_and_shows_the_example(tmp_path: Path) -> None:
    page = client(tmp_path, '{ a(b: "<&>") }').get("/").text
    assert "<title>SS 12000 gateway</title>" in page
    assert 'data-example="{ a(b: &quot;&lt;&amp;&gt;&quot;) }"' in page
    assert 'data-endpoint="/graphql"' in page


def test_without_installed_files_every_outside_file_is_pinned_by_its_hash(tmp_path: Path) -> None:
    page = client(tmp_path).get("/").text
    outside = re.findall(r'<[^>]*"https://[^>]*>', page)
    assert len(outside) == 4
    for tag in outside:
        assert re.search(r'integrity="sha384-[A-Za-z0-9+/]{64}"', tag), tag
        assert 'crossorigin="anonymous"' in tag
        assert re.search(r"@\d+\.\d+\.\d+/", tag), "a version must be exact"


def test_with_installed_files_nothing_is_loaded_from_elsewhere(tmp_path: Path, pinned: Package) -> None:
    (tmp_path / "tool-1.0.0.js").write_bytes(b"let tool;")
    served = client(tmp_path)
    assert '"https://' not in served.get("/").text
    assert "https://" not in served.get("/").headers["content-security-policy"]
    file = served.get("/assets/tool-1.0.0.js")
    assert (file.content, file.headers["content-type"]) == (b"let tool;", "text/javascript; charset=utf-8")
    assert "immutable" in file.headers["cache-control"]


def test_a_file_that_is_not_the_pinned_one_is_not_used(tmp_path: Path, pinned: Package) -> None:
    (tmp_path / "tool-1.0.0.js").write_bytes(b"let other;")
    assert not installed(tmp_path)
    assert client(tmp_path).get("/assets/tool-1.0.0.js").status_code == 404


def test_scripts_come_from_files_only(tmp_path: Path) -> None:
    answer = client(tmp_path).get("/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert "unsafe" not in policy["script-src"]
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    for source in policy["script-src"].split()[1:]:
        assert source.endswith(".js"), "a whole host would let in whatever else it serves"
    assert re.findall(r"<script(?![^>]*\bsrc=)", answer.text) == []


def test_the_pages_own_files_are_served(tmp_path: Path) -> None:
    for path in re.findall(r'"(/page/[^"]+)"', client(tmp_path).get("/").text):
        assert client(tmp_path).get(path).status_code == 200


def test_an_archive_is_unpacked_with_its_licence(tmp_path: Path, pinned: Package) -> None:
    assert unpack(pinned, tmp_path / pinned.archive) == {"tool-1.0.0.js": b"let tool;", "tool-LICENSE": b"MIT"}


def test_an_archive_that_is_not_the_pinned_one_is_refused(tmp_path: Path, pinned: Package) -> None:
    other = archive(tmp_path / "other.tgz", {"tool.js": b"let other;", "LICENSE": b"MIT"})
    with pytest.raises(AssetsError, match="not the archive that was pinned"):
        unpack(pinned, other)


def test_a_missing_npm_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssetsError, match="npm is not installed"):
        assets_command.install(tmp_path / "assets")
    assert not (tmp_path / "assets").exists()


def test_hashes_are_written_as_npm_and_browsers_do() -> None:
    assert integrity("sha512", b"").startswith("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+")
    for package in PACKAGES:
        assert len(package.integrity) == len(integrity("sha512", hashlib.sha512().digest()))
