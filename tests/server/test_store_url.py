"""URLs of object stores: those of three clouds, without anything secret in them."""

from __future__ import annotations

import pytest

from server.store_url import check_store_url, credentials_prefix

KNOWN = {
    "s3://bucket": "AWS_",
    "s3://bucket/a/b": "AWS_",
    "gs://bucket/a": "GOOGLE_",
    "az://container/a": "AZURE_",
}


def test_a_url_says_whose_credentials_it_takes() -> None:
    assert check_store_url("") == ""
    for url, prefix in KNOWN.items():
        assert (check_store_url(url), credentials_prefix(url)) == (url, prefix)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("/srv/audio", id="a folder"),
        pytest.param("file:///srv/audio", id="a folder as a URL"),
        pytest.param("https://bucket.s3.amazonaws.com", id="plain HTTP"),
        pytest.param("memory:///", id="nowhere"),
        pytest.param("s3:///folder", id="no bucket"),
        pytest.param("s3://key:secret@bucket/a", id="credentials"),
        pytest.param("s3://key@bucket/a", id="a user"),
        pytest.param("s3://bucket/a?region=x", id="a query"),
        pytest.param("s3://bucket/a b", id="a space"),
        pytest.param("s3://[bucket", id="brackets"),
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        check_store_url(url)
