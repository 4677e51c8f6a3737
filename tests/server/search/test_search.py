"""Search on a real database: what is found, why, and what is not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

import pytest

from server.errors import BadRequest, SearchOverloaded, ServiceUnavailable
from server.search import Search, SearchAnswer, SearchBy, Wanted, search
from server.storage import search_queries
from server.storage.pool import Database
from tests.server.search.indexed import Reader, Said, indexed, search_of
from tests.server.storage.rows import make_user

OTHER = "b" * 64


def texts(answer: SearchAnswer) -> list[str]:
    return [found.row.text for found in answer.found]


async def test_a_sentence_is_found_with_where_it_is_from_and_why(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(
        database,
        user,
        Said("Good morning."),
        Said("The budgets were approved.", 2, meaning=3),
        names=("Ada", "Grace"),
        name="Weekly",
    )
    (found,) = (await search_of(database).find(user.organization_id, Wanted("approve the budget"))).found
    row = found.row
    assert (row.meeting_name, row.speaker_name, row.text) == ("Weekly", "Grace", "The budgets were approved.")
    assert (row.start_ms, row.end_ms, row.language) == (2000, 3000, "en")
    assert found.matched_words == ("budgets", "approved")
    assert row.similarity == pytest.approx(0)
    assert found.relevance == pytest.approx(0.5 * (0.5 + 0.5 * 4 / 6))


async def test_a_sentence_is_found_by_its_meaning_alone(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said("How much is it?", meaning=1), Said("Nice weather.", meaning=2), Said("Hm."))
    engine = search_of(database, the_price=1)
    (found,) = (await engine.find(user.organization_id, Wanted("the price"))).found
    assert (found.row.text, found.matched_words) == ("How much is it?", ())
    assert found.row.similarity == pytest.approx(1, abs=1e-3)
    assert not (await engine.find(user.organization_id, Wanted("the price", SearchBy.WORDS))).found
    both = await engine.find(user.organization_id, Wanted("weather", SearchBy.MEANING))
    assert not both.found


async def test_words_and_meaning_together_come_first(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(
        database,
        user,
        Said("It costs twelve.", meaning=1),
        Said("Prices rise.", meaning=2),
        Said("The price is twelve.", meaning=1),
    )
    answer = await search_of(database, price=1).find(user.organization_id, Wanted("price"))
    assert texts(answer) == ["The price is twelve.", "It costs twelve.", "Prices rise."]


@pytest.mark.parametrize(
    ("said", "language", "query", "matched"),
    [
        pytest.param("Die Verträge wurden gekündigt.", "de", "Vertrag", ("Verträge",), id="german"),
        pytest.param("Nous avons signé les contrats.", "fr", "contrat signés", ("signé", "contrats"), id="french"),
        pytest.param("وقعنا العقود أمس.", "ar", "العقود", ("العقود",), id="arabic"),
        pytest.param("Мы подписали договоры.", "ru", "договор", ("договоры",), id="russian"),
        pytest.param("हमने बजट देखा।", "hi", "बजट", ("बजट",), id="hindi"),
        pytest.param("今天我们讨论预算问题。", "zh", "预算", ("预算",), id="chinese"),
        pytest.param("来月の予算を決めましょう。", "ja", "予算", ("予算",), id="japanese"),
        pytest.param("彼は猫が好きです。", "ja", "猫", ("猫",), id="one letter"),
        pytest.param("ここは港", "ja", "港", ("港",), id="the last letter"),
        pytest.param("다음 달 예산을 봅시다.", "ko", "예산", ("예산",), id="korean"),
        pytest.param("ประชุมเรื่องงบประมาณ", "th", "งบประมาณ", ("ประ", "งบประมาณ"), id="thai"),
        pytest.param("Kuhusu bajeti mpya.", "sw", "BAJETI", ("bajeti",), id="a language without stems"),
    ],
)
async def test_words_are_found_in_many_languages(
    owner: Database, database: Database, said: str, language: str, query: str, matched: tuple[str, ...]
) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said(said, language=language), Said("Something else.", 2))
    answer = await search_of(database).find(user.organization_id, Wanted(query))
    assert [(found.row.text, found.matched_words) for found in answer.found] == [(said, matched)]


async def test_more_and_rarer_words_come_first(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    common = [Said(f"The remote number {n}.") for n in range(30)]
    await indexed(database, user, *common, Said("A kinetic remote."), Said("The kinetic one."))
    found = texts(await search_of(database).find(user.organization_id, Wanted("a kinetic remote")))
    assert found == ["A kinetic remote.", "The kinetic one."]


async def test_quotes_require_and_hyphens_exclude(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(
        database,
        user,
        Said("The release date is fixed.", meaning=1),
        Said("The date of the release, invoice included.", meaning=1),
        Said("When do we ship?", meaning=1),
    )
    engine = search_of(database, release_date=1)
    assert texts(await engine.find(user.organization_id, Wanted('"release date"'))) == ["The release date is fixed."]
    assert texts(await engine.find(user.organization_id, Wanted("release date -invoice"))) == [
        "The release date is fixed.",
        "When do we ship?",
    ]
    assert not (await engine.find(user.organization_id, Wanted('"date release"'))).found
    # No word in English: it does not hold a sentence back.
    assert len((await engine.find(user.organization_id, Wanted('"of the" release'))).found) == 2


async def test_filters_by_person_day_topic_language_and_meeting(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(
        database, user, Said("The plan is ready."), Said("Der Plan ist fertig.", 2, "de"), names=("Ada Ölund", "Kim")
    )
    await indexed(database, user, Said("Another plan."), file_hash=OTHER, names=("Kim",))
    await database.run(
        lambda c: c.execute("UPDATE meetings SET held_on = '2026-01-31' WHERE file_hash = $1", OTHER),
        organization_id=user.organization_id,
    )
    await database.run(
        lambda c: c.execute("UPDATE search_sentences SET topic_key = 'übung\nplan' WHERE language = 'de'"),
        organization_id=user.organization_id,
    )
    engine = search_of(database)

    async def found(**filters: object) -> list[str]:
        return sorted(texts(await engine.find(user.organization_id, Wanted("plan", **filters))))  # type: ignore[arg-type]

    assert len(await found()) == 3
    assert await found(speaker="ölund") == ["The plan is ready."]
    assert await found(speaker="KIM") == ["Another plan.", "Der Plan ist fertig."]
    assert await found(speaker="nobody") == []
    assert await found(date_to=date(2026, 1, 31)) == ["Another plan."]
    assert await found(date_from=date(2026, 2, 1)) == ["Der Plan ist fertig.", "The plan is ready."]
    # Moments, of which the second is after the last.
    february = datetime(2026, 2, 1, tzinfo=UTC)
    assert await found(held_before=february) == ["Another plan."]
    assert await found(held_from=february) == ["Der Plan ist fertig.", "The plan is ready."]
    assert await found(topic="Übung") == ["Der Plan ist fertig."]
    assert await found(language="de") == ["Der Plan ist fertig."]
    assert await found(file_hash=OTHER) == ["Another plan."]
    assert await found(file_hash=OTHER, speaker="ada") == []
    assert len(await found(limit=2)) == 2


async def test_an_organization_finds_its_own_alone(owner: Database, database: Database) -> None:
    ours, theirs = await make_user(owner, "Ours"), await make_user(owner, "Theirs")
    await indexed(database, ours, Said("Our budget.", meaning=1), names=("Ada",))
    await indexed(database, theirs, Said("Their budget.", meaning=1), names=("Ada",))
    engine = search_of(database, budget=1)
    for wanted in (Wanted("budget"), Wanted("budget", SearchBy.WORDS), Wanted("budget", speaker="ada")):
        assert texts(await engine.find(ours.organization_id, wanted)) == ["Our budget."]


async def test_a_meeting_whose_deletion_waits_is_not_found_until_it_is_called_off(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said("The budget.", meaning=1))
    engine = search_of(database, budget=1)
    run = partial(database.run, organization_id=user.organization_id)
    later = "UPDATE meetings SET delete_at = now() + interval '1 minute', delete_user_id = $1"
    await run(lambda c: c.execute(later, user.id))
    for by in SearchBy:
        assert not (await engine.find(user.organization_id, Wanted("budget", by))).found
    await run(lambda c: c.execute("UPDATE meetings SET delete_at = NULL, delete_user_id = NULL"))
    assert texts(await engine.find(user.organization_id, Wanted("budget"))) == ["The budget."]


async def test_vectors_of_another_model_are_not_compared(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said("How much is it?", meaning=1))
    await database.run(
        lambda c: c.execute("UPDATE search_sentences SET model = 'old', vector = '[1,0]'"),
        organization_id=user.organization_id,
    )
    assert not (await search_of(database, price=1).find(user.organization_id, Wanted("price"))).found
    (found,) = (await search_of(database, much=1).find(user.organization_id, Wanted("is it"))).found or (None,)
    assert found is None


async def test_without_the_engine_words_are_found_and_said_so(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said("The budget.", meaning=1))
    away = Search(database, Reader(away=True))
    answer = await away.find(user.organization_id, Wanted("budget"))
    assert texts(answer) == ["The budget."]
    assert "engine is away" in answer.notice
    with pytest.raises(ServiceUnavailable):
        await away.find(user.organization_id, Wanted("budget", SearchBy.MEANING))


async def test_meaning_is_compared_in_english_only(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said("The budget.", meaning=1), Said("预算", language="zh"))
    engine = Search(database, Reader({"预算": 1}))
    answer = await engine.find(user.organization_id, Wanted("预算"))
    assert texts(answer) == ["预算"]
    assert "English" in answer.notice
    german = await engine.find(user.organization_id, Wanted("budget", language="de"))
    assert (german.found, "English" in german.notice) == ((), True)


async def test_only_the_newest_meetings_are_compared_beyond_the_limit(
    owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said("It is dear.", meaning=1), Said("Yes."))
    await indexed(database, user, Said("It is cheap.", meaning=1), file_hash=OTHER)
    await database.run(
        lambda c: c.execute("UPDATE meetings SET held_on = '2026-01-31' WHERE file_hash <> $1", OTHER),
        organization_id=user.organization_id,
    )
    monkeypatch.setattr(search, "MAX_COMPARED", 2)
    engine = search_of(database, price=1)
    answer = await engine.find(user.organization_id, Wanted("price"))
    assert texts(answer) == ["It is cheap."]
    assert "newest 1 sentences" in answer.notice
    within = await engine.find(user.organization_id, Wanted("price", date_to=date(2026, 1, 31)))
    assert (texts(within), within.notice) == (["It is dear."], "")


async def test_a_search_that_takes_too_long_is_refused(
    owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said("The budget."))

    async def slow(connection: object, *_: object) -> None:
        await connection.execute("SELECT pg_sleep(600)")  # type: ignore[attr-defined]

    monkeypatch.setattr(search, "STATEMENT_TIMEOUT_S", 1)
    monkeypatch.setattr(search_queries, "list_configurations", slow)
    with pytest.raises(SearchOverloaded):
        await search_of(database).find(user.organization_id, Wanted("budget"))


async def test_hostile_queries_are_answered(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await indexed(database, user, Said("It's a 'quoted' \\ text: & | ! <-> (budget)"))
    engine = search_of(database)
    for query in ("'quoted'", "a & b | !c", "<-> budget", "\\", "budget:*", "'; DROP TABLE meetings; --", "\u0000x"):
        try:
            await engine.find(user.organization_id, Wanted(query))
        except BadRequest:
            assert not any(letter.isalnum() for letter in query)
    assert texts(await engine.find(user.organization_id, Wanted("(quoted)"))) != []
