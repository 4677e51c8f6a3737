"""Meetings in other languages than English, word by word as a recogniser gives them."""

from __future__ import annotations

from dataclasses import replace

from server.conversation import Conversation, EngineCapabilities, Segment, Sentence, Word, split_sentences
from server.conversation.languages import ENGLISH
from tests.server.insights.talks import S, vector

ENGINE = EngineCapabilities(models=("m",), languages=("de", "en", "ja", "th", "zh"), max_speakers=8)
WORD_S, PAUSE_S = 0.4, 1.0
HAPPY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0)

GERMAN = (
    (1, "Guten Morgen, ich bin Daniel und heute geht es um das Budget."),
    (2, "Wie viel Geld haben wir letzten Monat für den neuen Server ausgegeben?"),
    (1, "Für den neuen Server haben wir zu viel Geld ausgegeben, das Budget ist schrecklich knapp."),
    (2, "Dann müssen wir das Budget für den neuen Server noch einmal gründlich prüfen."),
    (1, "Danke, Laura. Wer schreibt bis Freitag den Bericht über das Budget?"),
    (2, "Den Bericht über das Budget schreibe ich gerne bis Freitag, das wird wunderbar."),
)
JAPANESE = (
    (1, "今日 は 会議 の 予算 について 話し ます 。"),
    (2, "来月 の 予算 は いくら です か ？"),
    (1, "予算 は Excel で 計算 し まし た 。"),
    (2, "では 、 次 の 会議 で 予算 を 決め ましょ う 。"),
)
ENGLISH_LINES = (
    (1, "We have a wonderful plan for the annual budget."),
    (2, "The annual budget looks very good to me."),
)


def meeting(language: str, *lines: tuple[int, str], start_s: float = 0.0, first: int = 1) -> tuple[Segment, ...]:
    """Segments of (speaker, text): a word lasts 0.4 s, and a second passes between two who speak."""
    segments, clock = [], start_s
    for number, (speaker, text) in enumerate(lines, start=first):
        words = []
        for place, token in enumerate(text.split()):
            begin = clock + place * WORD_S
            words.append(Word(token, round(begin * S), round((begin + WORD_S) * S), 0.9))
        end = clock + len(words) * WORD_S
        segments.append(Segment(number, speaker, round(clock * S), round(end * S), tuple(words), language=language))
        clock = end + PAUSE_S
    return tuple(segments)


def talk(*parts: tuple[Segment, ...], engine: EngineCapabilities = ENGINE) -> Conversation:
    """The conversation, its English sentences read as by a model that finds all of them happy."""
    segments = tuple(segment for part in parts for segment in part)
    speakers = tuple(dict.fromkeys(segment.speaker for segment in segments))
    heard = Conversation(segments[-1].end_us + S, speakers, segments, engine)
    return replace(heard, sentences=tuple(_read(sentence) for sentence in split_sentences(heard)))


def _read(sentence: Sentence) -> Sentence:
    if sentence.language != ENGLISH:
        return sentence
    return replace(sentence, polarity=0.6, emotions=HAPPY, vector=vector(len(sentence.text)))


def german() -> Conversation:
    """Half a minute of a budget."""
    return talk(meeting("de", *GERMAN))


def german_and_english() -> Conversation:
    """The same, and two sentences in English after it."""
    spoken = meeting("de", *GERMAN)
    return talk(spoken, meeting("en", *ENGLISH_LINES, start_s=spoken[-1].end_us / S + 1, first=100))
