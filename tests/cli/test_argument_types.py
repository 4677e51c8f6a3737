"""Types of arguments: what is taken, and what is wrong with the rest."""

from __future__ import annotations

import argparse

import pytest

from cli.argument_types import MAX_COUNT, MAX_PROCESSES, count, non_negative, processes, web_origin


@pytest.mark.parametrize(
    "text", ["https://app.example", "http://localhost:5173", "https://a-b.example:65535", "https://*.app.example", "*"]
)
def test_origins_are_taken_as_browsers_send_them(text: str) -> None:
    assert web_origin(text) == text
    assert web_origin(text.replace("example", "EXAMPLE")) == text


@pytest.mark.parametrize(
    "text",
    ["", "**", "null", "app.example", "https://app.example/", "https://app.example/page", "ftp://app.example",
     "https://a b", "https://app.example\n", "https://x\"}]", "https://user@app.example", "https://app.example:123456"],
)  # fmt: skip
def test_what_is_no_origin_never_comes_into_envoy_s_configuration(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not an origin"):
        web_origin(text)


def test_numbers_are_neither_negative_nor_endless() -> None:
    assert (non_negative("0"), non_negative("1.5")) == (0, 1.5)
    for text in ("-1", "-0.001", "inf", "nan", "", "fast"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not a number from 0 up"):
            non_negative(text)


def test_counts_fit_into_the_messages_that_carry_them() -> None:
    assert (count("0"), count("16000"), count(str(MAX_COUNT))) == (0, 16_000, MAX_COUNT)
    for text in ("-1", "", "1.5", "9999999999", str(MAX_COUNT + 1), "1" * 5000, "1_0", " 1", "٣"):
        with pytest.raises(argparse.ArgumentTypeError, match="whole number from 0 to 2147483647"):
            count(text)


def test_numbers_of_processes_are_at_least_one_and_few() -> None:
    assert (processes("1"), processes(str(MAX_PROCESSES))) == (1, MAX_PROCESSES)
    for text in ("0", "-1", "", "1.5", "17", "100", "1_0", "٣"):
        with pytest.raises(argparse.ArgumentTypeError, match="whole number from 1 to 16"):
            processes(text)
