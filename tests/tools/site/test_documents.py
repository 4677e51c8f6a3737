"""Documents become pages: their links lead to pages, and what is code stays as it is."""

from __future__ import annotations

import pytest

from tools.site.documents import Targets, page_of, relative

PAGES = {"README.md": "index.md", "docs/rest.md": "rest.md", "docs/decisions/0001-queue.md": "decisions/0001-queue.md"}


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        pytest.param("README.md", "[REST](docs/rest.md#users)", "[REST](rest.md#users)", id="from the README"),
        pytest.param("docs/decisions/0001-queue.md", "[r](../rest.md)", "[r](../rest.md)", id="from a folder"),
        pytest.param("docs/rest.md", "[here](#users)", "[here](rest.md#users)", id="within a page"),
        pytest.param("docs/rest.md", "[of\nusers](../README.md)", "[of\nusers](index.md)", id="over two lines"),
        pytest.param("docs/rest.md", "[tus](https://tus.io)", "[tus](https://tus.io)", id="to another host"),
        pytest.param("docs/rest.md", "[fold.py](../server/fold.py)", "fold.py", id="a file that is named"),
        pytest.param("docs/rest.md", "[the fold](../server/fold.py)", "the fold (`server/fold.py`)", id="another file"),
        pytest.param("README.md", "![x](docs/pictures/x.png)", "![x](pictures/x.png)", id="a picture"),
        pytest.param("README.md", '<img src="docs/pictures/x.png">', '<img src="pictures/x.png">', id="one in HTML"),
        pytest.param("docs/rest.md", "`[a](b.md)` ``[`a`](b.md)``", "`[a](b.md)` ``[`a`](b.md)``", id="code"),
        pytest.param("docs/rest.md", "```\n[a](b.md)\n- x\n```", "```\n[a](b.md)\n- x\n```", id="a block of code"),
        pytest.param("docs/rest.md", "Lists:\n- one\n- two", "Lists:\n\n- one\n- two", id="a list in a paragraph"),
        pytest.param("docs/rest.md", "- one\n  goes on\n- two", "- one\n  goes on\n- two", id="an item of two lines"),
    ],
)
def test_a_document_is_a_page(document: str, text: str, expected: str) -> None:
    assert page_of(text, PAGES[document], document, Targets(PAGES)) == expected + "\n"


def test_files_of_the_repository_are_linked_where_it_can_be_read() -> None:
    targets = Targets(PAGES, "https://forge.example/meetra/blob/main/")
    page = page_of("[fold.py](../server/fold.py#L3)", "rest.md", "docs/rest.md", targets)
    assert page == "[fold.py](https://forge.example/meetra/blob/main/server/fold.py#L3)\n"


def test_paths_are_seen_from_the_page() -> None:
    assert relative("rest.md", "index.md") == "rest.md"
    assert relative("rest.md", "grpc/live.md") == "../rest.md"
