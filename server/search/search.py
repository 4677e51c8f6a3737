"""Search over the meetings of an organization, by words and by meaning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import asyncpg

from server.conversation import ENGLISH, count_words
from server.engine import SentenceVector, SessionBroke
from server.errors import SearchOverloaded, ServiceUnavailable
from server.fair_slots import FairSlots
from server.search.query import Query, Term, parse_query
from server.search.ranking import distinct, is_worth_showing, relevance, word_shares
from server.search.tokens import tokens, without_case
from server.storage import (
    Connection,
    Database,
    FoundRow,
    Meant,
    MeetingsByAge,
    SearchFilter,
    TermQueries,
    search_meaning,
    search_queries,
    search_words,
)

# Of one process: each takes a connection, and a core of the database.
PLACES = 4
PATIENCE_S = 10.0
STATEMENT_TIMEOUT_S = 10
# Sentences whose meaning is compared, some 40 hours: some hundredths of a second (docs/performance.md).
MAX_COMPARED = 30_000
# Sentences that are looked at for words that many have; as many as are compared where only some of them are wanted.
MAX_LOOKED_AT = 10_000
# For a query of words that the engine has to read.
ENGINE_PATIENCE_S = 5.0
CANDIDATES, ALIKE, MOST_WORDS = 200, 100, 20_000


class SearchBy(StrEnum):
    """How sentences are found."""

    BOTH = ""
    WORDS = "words"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; empty or None: anything."""

    query: str
    by: SearchBy = SearchBy.BOTH
    speaker: str = ""
    """Part of a speaker's name, in any case."""
    date_from: date | None = None
    date_to: date | None = None
    held_from: datetime | None = None
    held_before: datetime | None = None
    """Exclusive."""
    topic: str = ""
    """Part of a topic's name, or of one of its keywords, in any case."""
    language: str = ""
    """BCP 47 primary tag."""
    file_hash: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class FoundSentence:
    """A sentence, and why it was found."""

    row: FoundRow
    relevance: float
    """0..1."""
    matched_words: tuple[str, ...]
    """As they stand in the sentence."""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What was found, best first."""

    found: tuple[FoundSentence, ...]
    notice: str
    """What a reader must know of how it was searched; empty if nothing."""


class ReadsMeaning(Protocol):
    """The part of ``InferenceClient`` that a search needs."""

    async def sentence_vector(self, text: str, within_s: float) -> SentenceVector:
        """Return the vector of a text. Raises SessionBroke."""


class Search:
    """Search meetings."""

    def __init__(self, database: Database, inference: ReadsMeaning) -> None:
        self._database = database
        self._inference = inference
        self._places: FairSlots[UUID] = FairSlots(PLACES)

    async def find(self, organization_id: UUID, wanted: Wanted) -> SearchAnswer:
        """Return what was said about something, best first.

        Raises BadRequest, SearchOverloaded, ServiceUnavailable (for ``MEANING`` alone).
        """
        query = parse_query(wanted.query)
        meant, notice = await self._meaning(query, wanted)
        try:
            async with self._places.place(organization_id, PATIENCE_S):
                return await self._database.run(
                    lambda c: _search(c, organization_id, query, wanted, meant, notice),
                    organization_id=organization_id,
                    snapshot=True,
                )
        except (TimeoutError, asyncpg.QueryCanceledError) as error:
            raise SearchOverloaded from error

    async def _meaning(self, query: Query, wanted: Wanted) -> tuple[Meant | None, str]:
        """Return the query's vector, or None with what a reader must know."""
        if wanted.by == SearchBy.WORDS:
            return None, ""
        if wanted.language not in ("", ENGLISH) or not _may_be_english(query.meaning):
            return None, "Meaning is compared in English only; sentences were found by their words."
        try:
            found = await self._inference.sentence_vector(query.meaning, ENGINE_PATIENCE_S)
        except SessionBroke as error:
            if wanted.by == SearchBy.MEANING:
                raise ServiceUnavailable from error
            return None, "The engine is away: sentences were found by their words only."
        return Meant(found.model, found.vector), ""


def _may_be_english(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return 2 * sum(letter.isascii() for letter in letters) > len(letters)


async def _search(
    connection: Connection, organization_id: UUID, query: Query, wanted: Wanted, meant: Meant | None, notice: str
) -> SearchAnswer:
    await connection.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_S}s'")
    configurations = await search_queries.list_configurations(connection, organization_id)

    async def queries_of(terms: tuple[Term, ...]) -> TermQueries:
        return await search_queries.make_queries(connection, configurations, [(t.kind, t.text) for t in terms])

    limits = SearchFilter(
        file_hash=wanted.file_hash,
        speaker=wanted.speaker or None,
        first_day=wanted.date_from,
        last_day=wanted.date_to,
        held_from=wanted.held_from,
        held_before=wanted.held_before,
        topic_key=without_case(wanted.topic) or None,
        language=wanted.language or None,
    )
    if query.required:
        limits = replace(limits, required=_combined(await queries_of(query.required), " & "))
    if query.excluded:
        limits = replace(limits, excluded=_combined(await queries_of(query.excluded), " | "))
    queries = await queries_of(query.terms)
    shares: dict[tuple[UUID, int], float] = {}
    meetings = MeetingsByAge(connection, organization_id, limits)
    indexed = await search_queries.count_sentences(connection, organization_id)
    if wanted.by != SearchBy.MEANING:
        hits = await search_words.find_words(
            *(connection, organization_id, queries, limits, meetings),
            looked_at=MAX_LOOKED_AT,
            looked_at_for_some=MAX_COMPARED,
            sentences=indexed.sentences,
            most_alike=ALIKE,
            most=MOST_WORDS,
        )
        by_terms = word_shares(queries, hits, indexed.sentences)
        ranked = sorted(hits, key=lambda hit: -by_terms[hit.configuration, hit.hits])
        shares = {(hit.meeting_id, hit.number): by_terms[hit.configuration, hit.hits] for hit in ranked[:CANDIDATES]}
    keys = list(shares)
    if meant is not None:
        close = await search_meaning.find_meaning(
            *(connection, organization_id, configurations, limits, meant, meetings, indexed), MAX_COMPARED, CANDIDATES
        )
        keys += [key for key in close.keys if key not in shares]
        if close.since is not None:
            notice = (
                f"Meaning was compared in the newest {close.compared} sentences, back to {close.since:%Y-%m-%d};"
                " older ones were found by their words. Search within dates to compare those."
            )
    rows = await search_queries.load(connection, organization_id, keys, meant)
    scored = [(row, shares.get((row.meeting_id, row.number), 0.0)) for row in rows]
    worth = [
        (relevance(share, row.similarity, count_words(row.text, row.language)), row)
        for row, share in scored
        if is_worth_showing(share, row.similarity)
    ]
    # What is equally good is in the order of time, the newest meeting first.
    worth.sort(key=lambda one: (-one[0], -one[1].held_at.timestamp(), one[1].file_hash, one[1].start_ms))
    shown = worth[: wanted.limit]
    with_words = [row for _, row in shown if (row.meeting_id, row.number) in shares]
    matched = await _matched_words(connection, with_words, query, queries)
    found = tuple(FoundSentence(row, good, matched.get((row.meeting_id, row.number), ())) for good, row in shown)
    return SearchAnswer(found, notice)


def _combined(queries: TermQueries, operator: str) -> tuple[str | None, ...]:
    return tuple(operator.join(f"({query})" for query in own if query) or None for own in queries.queries)


async def _matched_words(
    connection: Connection, rows: list[FoundRow], query: Query, queries: TermQueries
) -> dict[tuple[UUID, int], tuple[str, ...]]:
    """Return the words of sentences that the query has, by (meeting, number), as they are written."""
    pairs = {part for term in query.terms for part in term.text.split()}
    words: dict[tuple[str, str], None] = {}
    for row in rows:
        words.update(((row.configuration, token.text), None) for token in tokens(row.text) if not token.paired)
    known = await search_queries.find_matching_words(connection, list(words), queries)
    matched = {}
    for row in rows:
        found: list[str] = []
        for token in tokens(row.text):
            if token.paired:
                found += _matched_runs(token.written, token.pairs, pairs)
            elif (row.configuration, token.text) in known:
                found.append(token.written)
        matched[row.meeting_id, row.number] = tuple(distinct(found))
    return matched


def _matched_runs(written: str, own: list[str], wanted: set[str]) -> list[str]:
    """Return the stretches of a run of letters without spaces that are covered by pairs of the query."""
    covered = [False] * len(written)
    for place, pair in enumerate(own):
        for size in (1, 2):
            if pair[:size] in wanted and len(written) >= place + size:
                covered[place : place + size] = [True] * size
    if written[-1:] in wanted:
        covered[-1] = True
    runs, current = [], ""
    for letter, inside in zip(written + " ", [*covered, False], strict=True):
        if inside:
            current += letter
        elif current:
            runs.append(current)
            current = ""
    return runs
