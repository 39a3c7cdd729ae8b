"""A list that has grown long is shown a page at a time, and filtered as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.mark.parametrize(("path", "kept"), [("/holds", "hold_rows"), ("/tickets", "ticket_rows")])
async def test_page_by_page(client, house, path: str, kept: str) -> None:
    rows = getattr(house.records, kept)
    name = "hold_id" if kept == "hold_rows" else "ticket_id"
    rows[:] = [replace(rows[0], **{name: f"N-{number:04d}"}) for number in range(250)]
    first = (await client.get(path)).text
    assert first.count("N-0") >= 100
    assert "Page 1 of 3" in first
    assert 'rel="next"' in first
    assert 'rel="prev"' not in first
    last = (await client.get(path, params={"page": "3"})).text
    assert "N-0249" in last
    assert "N-0100" not in last
    assert 'rel="next"' not in last
    # What is typed is looked for in all of them, and a page that is none is the first.
    assert "N-0249" in (await client.get(path, params={"q": "n-0249"})).text
    assert "Page 1 of 3" in (await client.get(path, params={"page": "²"})).text


async def test_a_short_list_has_no_pages(client) -> None:
    assert 'class="pager"' not in (await client.get("/holds")).text
