"""Families: each is declared once and listed, and each document of a meeting is made once."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from server import insights
from server.insights import FAMILIES, QUALITY, SHARES, Family, MeetingFacts
from tests.server.insights.meetings_in_languages import german_and_english


def test_every_family_that_a_file_declares_is_listed_and_has_a_name_of_its_own() -> None:
    files = [import_module(f"server.insights.{found.name}") for found in pkgutil.iter_modules(insights.__path__)]
    declared = {id(thing): thing for file in files for thing in vars(file).values() if isinstance(thing, Family)}
    assert {family.name for family in declared.values()} == {family.name for family in FAMILIES}
    assert len(declared) == len(FAMILIES) == len({family.name for family in FAMILIES})


def test_each_document_is_made_once_however_many_ask_for_it() -> None:
    made: list[Family[dict[str, object]]] = []

    def shares_again(meeting: MeetingFacts) -> dict[str, object]:
        made.append(family)
        return {"speakers": meeting.document(SHARES)["speakers"]}

    family = Family("shares_again", "1", shares_again)
    meeting = MeetingFacts(german_and_english())
    assert meeting.document(family) is meeting.document(family)
    assert made == [family]
    assert meeting.document(family)["speakers"] is meeting.document(SHARES)["speakers"]


def test_the_report_holds_the_documents_of_the_others_and_no_copies() -> None:
    meeting = MeetingFacts(german_and_english())
    report = meeting.document(QUALITY)
    for family in FAMILIES:
        if family.name in report and family.name not in ("topic_details", "quality"):
            assert report[family.name] is meeting.document(family)  # type: ignore[literal-required]
