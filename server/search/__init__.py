"""Search over an organization's meetings: the index of their sentences, and finding in it by words and by meaning."""

from server.search.indexing import SearchIndexing, index_meeting
from server.search.query import MAX_QUERY
from server.search.search import FoundSentence, Search, SearchAnswer, SearchBy, Wanted

__all__ = [
    "FoundSentence",
    "MAX_QUERY",
    "Search",
    "SearchAnswer",
    "SearchBy",
    "SearchIndexing",
    "Wanted",
    "index_meeting",
]
