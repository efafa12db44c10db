"""The page, its own files, and GraphiQL's: from this server where installed, else from a CDN with pinned hashes."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ..assets_command import ASSETS, PACKAGES, Asset, Package, installed

CDN = "https://unpkg.com"
TITLE = "SS 12000 gateway"

_HERE = Path(__file__).parent
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}
_SECURITY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def page_routes(example_query: str, graphql_path: str = "/graphql", assets: Path = ASSETS) -> list[Route]:
    """The routes of the page. ``example_query`` stands in the editor; ``graphql_path`` is where queries are sent.

    ``assets`` is the directory that ``assets_command.install`` filled. If a file there is missing or is not the one
    pinned, the page loads all of them from the CDN instead.
    """
    local = installed(assets)
    sources = {
        asset.file: f"/assets/{asset.file}" if local else f"{CDN}/{package.name}@{package.version}/{asset.member}"
        for package, asset in _all()
    }
    page = Template((_HERE / "index.html").read_text(encoding="utf-8")).substitute(
        title=escape(TITLE),
        styles="\n    ".join(_tag(asset, sources[asset.file]) for _, asset in _all() if asset.file.endswith(".css")),
        scripts="\n    ".join(_tag(asset, sources[asset.file]) for _, asset in _all() if asset.file.endswith(".js")),
        endpoint=escape(graphql_path),
        example=escape(example_query),
    )
    headers = _SECURITY | {"Content-Security-Policy": _policy(sources), "Cache-Control": "no-cache"}

    async def index(request: Request) -> Response:
        return HTMLResponse(page, headers=headers)

    routes = [
        Route("/", index),
        _file("/page/start.js", _HERE / "start.js"),
        _file("/page/explain.js", _HERE / "explain.js"),
        _file("/page/page.css", _HERE / "page.css"),
    ]
    if local:
        # The version is part of the name, so a file of this name never changes.
        forever = {"Cache-Control": "public, max-age=31536000, immutable"}
        routes += [_file(source, assets / file, forever) for file, source in sources.items()]
    return routes


def _all() -> list[tuple[Package, Asset]]:
    return [(package, asset) for package in PACKAGES for asset in package.assets]


def _tag(asset: Asset, source: str) -> str:
    if asset.file.endswith(".css"):
        return f'<link rel="stylesheet" href="{source}" integrity="{asset.integrity}" crossorigin="anonymous">'
    return f'<script src="{source}" integrity="{asset.integrity}" crossorigin="anonymous" defer></script>'


def _policy(sources: dict[str, str]) -> str:
    """The Content-Security-Policy: scripts only from named files. GraphiQL's editor writes style elements itself."""
    outside = [source for source in sources.values() if source.startswith("https:")]
    scripts = " ".join(["'self'", *(source for source in outside if source.endswith(".js"))])
    styles = " ".join(["'self'", "'unsafe-inline'", *(source for source in outside if source.endswith(".css"))])
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; img-src 'self' data:; font-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _file(path: str, file: Path, headers: dict[str, str] | None = None) -> Route:
    body = file.read_bytes()
    media_type = _MEDIA_TYPES[file.suffix]
    all_headers = _SECURITY | (headers or {"Cache-Control": "no-cache"})

    async def serve(request: Request) -> Response:
        return Response(body, media_type=media_type, headers=all_headers)

    return Route(path, serve)
