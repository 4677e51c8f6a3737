"""The sentences of a meeting, as they are searched."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from server.conversation import Conversation
from server.engine import SENTENCE_VECTORS
from server.insights import Topic
from server.search.configurations import configuration
from server.search.tokens import index_text, without_case
from server.storage import SearchSentence

# Raised when other rows are made of the same meeting: every meeting is then indexed again.
INDEX_VERSION = 2
# Of one sentence: what is longer is no speech, and a row of the index holds no more.
MAX_TEXT = 8000


def searchable_sentences(conversation: Conversation, topics: Sequence[Topic]) -> list[SearchSentence]:
    """Return the sentences of a conversation, with the corrections in force, as rows of the index.

    Args:
        topics: the meeting's, in time order.
    """
    model = next((label for label in conversation.engine.models if label.startswith(SENTENCE_VECTORS)), "")
    starts = [topic["start"] for topic in topics]
    keys = [without_case("\n".join([topic["topic"], *topic["keywords"]])) for topic in topics]
    rows = []
    for number, sentence in enumerate(conversation.sentences):
        if not sentence.text:
            continue
        start_ms = sentence.start_us // 1000
        place = bisect_right(starts, start_ms) - 1
        text = sentence.text.replace("\0", "")[:MAX_TEXT]
        rows.append(
            SearchSentence(
                number=number,
                speaker=sentence.speaker,
                start_ms=start_ms,
                end_ms=sentence.end_us // 1000,
                language=sentence.language,
                topic=topics[place]["topic"] if place >= 0 else "",
                topic_key=keys[place] if place >= 0 else "",
                text=text,
                configuration=configuration(sentence.language),
                words=index_text(text),
                model=model if sentence.vector else "",
                vector=sentence.vector if model else b"",
            )
        )
    return rows
