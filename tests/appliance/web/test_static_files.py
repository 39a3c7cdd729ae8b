"""The pages' own files: from memory, never stale, nothing beside them."""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from appliance.web.static_files import KeptFiles


def client(folder: Path) -> httpx.AsyncClient:
    app = Starlette(routes=[Mount("/static", KeptFiles(folder))])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub")


async def test_a_file_is_given_again_only_where_it_changed(tmp_path: Path):
    file = tmp_path / "page.js"
    file.write_text("let one = 1;")
    async with client(tmp_path) as web:
        first = await web.get("/static/page.js")
        assert (first.status_code, first.text) == (200, "let one = 1;")
        assert first.headers["content-type"] == "text/javascript; charset=utf-8"
        tag = {"if-none-match": first.headers["etag"]}
        same = await web.get("/static/page.js", headers=tag)
        assert (same.status_code, same.content) == (304, b"")
        file.write_text("let two = 2; // longer")
        assert (await web.get("/static/page.js", headers=tag)).text == "let two = 2; // longer"
        head = await web.head("/static/page.js")
        assert (head.status_code, head.content) == (200, b"")


async def test_what_is_not_there_or_lies_beside_is_not_given(tmp_path: Path):
    (tmp_path / "secret").write_text("s")
    folder = tmp_path / "static"
    (folder / "vendor").mkdir(parents=True)
    async with client(folder) as web:
        for path in ("/static/none.js", "/static/vendor", "/static/%2e%2e/secret", "/static/"):
            assert (await web.get(path)).status_code == 404, path
        assert (await web.post("/static/none.js")).status_code == 405


async def test_a_browser_that_takes_gzip_gets_it_packed_under_a_tag_of_its_own(tmp_path: Path):
    text = "let one = 1;\n" * 500
    (tmp_path / "page.js").write_text(text)
    (tmp_path / "small.js").write_text("1;")
    async with client(tmp_path) as web:
        packed = await web.get("/static/page.js", headers={"accept-encoding": "br, gzip"})
        plain = await web.get("/static/page.js", headers={"accept-encoding": "identity"})
        assert packed.text == plain.text == text
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert int(packed.headers["content-length"]) < len(text) // 10
        assert packed.headers["etag"] != plain.headers["etag"]
        again = {"accept-encoding": "gzip", "if-none-match": packed.headers["etag"]}
        assert (await web.get("/static/page.js", headers=again)).status_code == 304
        assert (
            await web.get("/static/page.js", headers=again | {"accept-encoding": "identity"})
        ).status_code == 200
        small = await web.get("/static/small.js", headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in small.headers
        (tmp_path / "page.js").write_text(text + "let two = 2;")
        newer = await web.get("/static/page.js", headers=again)
        assert newer.text == text + "let two = 2;"
