"""Conversion of stored documents to InsightsService messages; speaker numbers become UUIDs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypedDict

from google.protobuf import struct_pb2
from meetra.v1 import insights_pb2 as pb

from server.api.answers import AnyAnswer, ReadyAnswer
from server.insights import (
    AudioQualityDocument,
    EmotionsDocument,
    FragmentQuality,
    LanguageDocument,
    NodeDocument,
    PeriodDynamics,
    Question,
    ScoreDocument,
    SentenceDocument,
    SentimentDocument,
    ShareDocument,
    SpeakerQuality,
    SummaryTexts,
    SupportDocument,
    Topic,
    TopicDetail,
    TranscriptDocument,
    WordBasedDocument,
    WordDocument,
    WordsDocument,
)

MEETING_SUMMARY = "Meeting summary"
UNRELIABLE_ADVICE = (
    "The recogniser had low confidence in many words, as with distant, noisy or overlapping speech: treat this text as "
    "approximate. A larger model may help, see docs/models.md."
)


def clock(milliseconds: int) -> str:
    """Format milliseconds from the start of the meeting as ``HH:MM:SS``, rounding down."""
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def support(document: SupportDocument) -> pb.ScoreSupport:
    """Convert the support of a score."""
    return pb.ScoreSupport(**document)


def score_details(document: ScoreDocument) -> pb.ScoreDetails:
    """Convert the components and support of a score."""
    components = [pb.ScoreComponent(**component) for component in document["components"]]
    return pb.ScoreDetails(components=components, support=support(document["support"]))


def nodes(found: AnyAnswer, documents: Iterable[NodeDocument], *, detailed: bool) -> list[pb.InteractionNode]:
    """Convert interaction pairs; ``detailed`` adds the number of exchanges."""
    return [
        pb.InteractionNode(
            between=[found.speaker_id(label) for label in node["between"]],
            value=node["value"],
            exchanges=node["exchanges"] if detailed else None,
        )
        for node in documents
    ]


def shares(found: AnyAnswer, documents: Iterable[ShareDocument], *, detailed: bool) -> list[pb.SpeakerShare]:
    """Convert speaking shares; ``detailed`` adds the speaking time in milliseconds."""
    return [
        pb.SpeakerShare(
            meeting_speaking_percentage=share["percentage"],
            id=found.speaker_id(share["label"]),
            speaking_ms=share["speaking_ms"] if detailed else None,
        )
        for share in documents
    ]


def transcript_details(found: ReadyAnswer[TranscriptDocument], stored: WordsDocument) -> pb.TranscriptDetails:
    """Convert a transcript's reliability, engine, words and sentences."""
    value, engine = found.value, found.engine
    return pb.TranscriptDetails(
        mean_word_confidence=value["mean_word_confidence"],
        reliable=value["reliable"],
        threshold=value["threshold"],
        advice=advice(found, reliable=value["reliable"]),
        notice=found.notice or None,
        words=[_word(found, word) for word in stored["words"]],
        sentences=[
            sentence_message(number, sentence, found.speaker_id)
            for number, sentence in enumerate(stored.get("sentences", ()), start=1)
        ],
        engine=pb.EngineCapabilities(
            models=engine.get("models", ()),
            overlap=engine.get("overlap", False),
            languages=engine.get("languages", ()),
            max_speakers=engine.get("max_speakers", 0),
            word_times=engine.get("word_times", True),
            key_terms=engine.get("key_terms", False),
        ),
        **language(value),
    )


def sentence_message(
    number: int, sentence: SentenceDocument, speaker_id: Callable[[int], str]
) -> pb.TranscriptSentence:
    """Convert a sentence.

    Args:
        speaker_id: returns the UUID of a speaker's label; empty for who is no speaker of the meeting.
    """
    original_speaker = sentence.get("original_speaker")
    return pb.TranscriptSentence(
        number=number,
        speaker=speaker_id(sentence["speaker"]),
        start_ms=sentence["start_ms"],
        end_ms=sentence["end_ms"],
        text=sentence["text"],
        original_text=sentence.get("original_text"),
        original_speaker=None if original_speaker is None else speaker_id(original_speaker),
    )


def _word(found: AnyAnswer, word: WordDocument) -> pb.TranscriptWord:
    return pb.TranscriptWord(
        text=word["text"],
        speaker=found.speaker_id(word["speaker"]),
        start_ms=word["start_ms"],
        end_ms=word["end_ms"],
        confidence=word["confidence"],
    )


def advice(found: AnyAnswer, *, reliable: bool) -> str:
    """Return advice for an unreliable text; empty for a reliable one."""
    return "" if reliable else found.notice or UNRELIABLE_ADVICE


class LanguageFields(TypedDict):
    """The language fields that several messages share."""

    language: str | None
    language_confidence: float | None


def language(document: LanguageDocument) -> LanguageFields:
    """Return the most spoken language and its confidence from a document of any version; None where unknown."""
    return {
        "language": document.get("language") or None,
        "language_confidence": document.get("language_confidence"),
    }


def sentiment_details(document: SentimentDocument) -> pb.SentimentDetails:
    """Convert the details of a sentiment."""
    return pb.SentimentDetails(
        label=document["label"],
        mean_polarity=document["mean_polarity"],
        sentences=document["sentences"],
        support=support(document["support"]),
        sentences_in_all=document.get("sentences_in_all"),
    )


def emotion_shares(document: EmotionsDocument) -> pb.EmotionShares | None:
    """Convert a meeting's emotion shares; None if they could not be measured."""
    percentages = document["percentages"]
    return None if percentages is None else pb.EmotionShares(**percentages)


def reliability(found: ReadyAnswer[WordBasedDocument], method: str) -> pb.TextReliability:
    """Convert the reliability of an answer derived from words; ``method`` names how it was derived."""
    reliability_document = found.value["reliability"]
    return pb.TextReliability(
        reliable=reliability_document["reliable"],
        mean_word_confidence=reliability_document["mean_word_confidence"],
        definition_version=found.definition_version,
        method=method,
        advice=advice(found, reliable=reliability_document["reliable"]),
        notice=found.notice or None,
        **language(reliability_document),
    )


def texts(items: Iterable[str]) -> struct_pb2.ListValue:
    """Wrap strings in a ListValue, as map values need it."""
    value = struct_pb2.ListValue()
    value.extend(list(items))
    return value


def texts_by_speaker(found: AnyAnswer, pairs: Iterable[Sequence[Any]]) -> dict[str, struct_pb2.ListValue]:
    """Map speaker ids to lists of texts, from pairs of (speaker number, texts)."""
    return {found.speaker_id(label): texts(sentences) for label, sentences in pairs}


def summary(found: AnyAnswer, document: SummaryTexts) -> dict[str, struct_pb2.ListValue]:
    """Convert the summaries of the speakers and of the meeting."""
    return {**texts_by_speaker(found, document["speakers"]), MEETING_SUMMARY: texts(document["meeting"])}


def questions(found: AnyAnswer, documents: Iterable[Question]) -> list[pb.Question]:
    """Convert questions with their times."""
    return [
        pb.Question(
            speaker=found.speaker_id(question["speaker"]),
            question=question["question"],
            start_timestamp=clock(question["start_ms"]),
        )
        for question in documents
    ]


def dynamics(documents: Iterable[PeriodDynamics]) -> list[pb.PeriodDynamics]:
    """Convert the dynamics of periods."""
    return [pb.PeriodDynamics(**period) for period in documents]


def topics(documents: Iterable[Topic]) -> list[pb.Topic]:
    """Convert topics with their keywords."""
    return [pb.Topic(**topic) for topic in documents]


def topic_details(found: AnyAnswer, documents: Iterable[TopicDetail]) -> list[pb.TopicDetail]:
    """Convert the detailed metrics of topics or periods."""
    return [_topic_detail(found, document) for document in documents]


def _topic_detail(found: AnyAnswer, document: TopicDetail) -> pb.TopicDetail:
    energy = document["energy"]
    return pb.TopicDetail(
        topic=document["topic"],
        start=document["start"],
        end=document["end"],
        sentiment=document["sentiment"],
        emotions_score=document["emotions_score"],
        interactions_score=document["interactions_score"],
        involvement_score=document["involvement_score"],
        reason=document.get("reason"),
        speakers=[
            pb.TopicSpeaker(id=str(speaker.id), alias=speaker.alias)
            for speaker in found.speakers
            if speaker.label in document["speakers"]
        ],
        energy=pb.TopicEnergy(
            energy_score=energy["energy_score"],
            talking_time=energy["talking_time"],
            silence_time=energy["silence_time"],
            interactions=pb.TopicInteractions(nodes=nodes(found, energy["interactions"]["nodes"], detailed=False)),
            emotions=energy["emotions"],
        ),
    )


def audio_quality(found: AnyAnswer, documents: Iterable[SpeakerQuality]) -> list[pb.SpeakerAudioQuality]:
    """Convert the speakers' audio quality; speakers without a measurement are left out."""
    by_label = {document["speaker"]: document for document in documents}
    return [
        pb.SpeakerAudioQuality(
            id=str(speaker.id),
            alias=speaker.alias,
            microphone_quality=quality["microphone_quality"],
            mos=quality["mos"],
            noise_db=quality["noise_db"],
            snr_db=quality["snr_db"],
            clipping_percent=quality["clipping_percent"],
            reverb=quality["reverb"],
            lagging=quality["lagging"],
        )
        for speaker in found.speakers
        if (quality := by_label.get(speaker.label)) is not None
    ]


def audio_details(
    found: ReadyAnswer[AudioQualityDocument], fragments: Iterable[FragmentQuality]
) -> pb.AudioQualityDetails:
    """Convert the audio quality of the recording and of each segment."""
    return pb.AudioQualityDetails(
        noise_db=found.value["noise_db"],
        music=[pb.TimeSpan(start=start, end=end) for start, end in found.value["music"]],
        fragments=[
            pb.FragmentQuality(
                speaker=found.speaker_id(fragment["speaker"]),
                start=fragment["start_ms"],
                end=fragment["end_ms"],
                level_db=fragment["level_dbfs"],
                microphone_quality=fragment["microphone_quality"],
                reverb=fragment["reverb"],
                lagging=fragment["lagging"],
                music=fragment["music"],
            )
            for fragment in fragments
        ],
    )
