"""From the engine's messages to the domain's events."""

from __future__ import annotations

from meetra.inference.v2 import model_pb2
from meetra.inference.v2 import session_pb2 as pb

from inference.api.tasks import TASKS
from server.conversation import EngineCapabilities, FinishedEvent, ReadyEvent, TurnEvent
from server.engine.model_labels import TASK_NAMES
from server.engine.session_events import to_event


def test_an_engine_is_known_by_what_it_can_measure() -> None:
    models = [
        model_pb2.Model(task=model_pb2.TASK_SPEAKER_EMBEDDING, name="m"),
        model_pb2.Model(task=model_pb2.TASK_EMOTIONS, name="a/b.onnx", version="0123456789ab"),
    ]
    capabilities = pb.Capabilities(
        models=models, overlap=True, languages=["en", "de"], word_times=True, max_speakers=8, key_terms=True
    )
    event = to_event(pb.RunSessionResponse(ready=pb.Ready(capabilities=capabilities)))
    assert event == ReadyEvent(
        EngineCapabilities(
            ("speaker vectors: m", "emotions: a/b.onnx (SHA-256 0123456789ab)"), True, ("en", "de"), True, 8, True
        )
    )
    estimating = to_event(pb.RunSessionResponse(ready=pb.Ready(capabilities=pb.Capabilities())))
    assert estimating == ReadyEvent(EngineCapabilities(word_times=False))


def test_every_task_has_one_name_on_both_sides() -> None:
    every = set(model_pb2.Task.values()) - {model_pb2.TASK_UNSPECIFIED}
    assert set(TASK_NAMES) == every
    assert {TASK_NAMES[task]: task for task in every} == TASKS


def test_the_language_of_words_is_known_by_its_primary_tag() -> None:
    for said, known in (("de", "de"), ("en-GB", "en"), ("", "")):
        event = to_event(pb.RunSessionResponse(turn=pb.Turn(segment_id=1, state=pb.TURN_STATE_FINAL, language=said)))
        assert isinstance(event, TurnEvent)
        assert event.segment.language == known


def test_a_session_says_its_language_and_how_sure_it_is() -> None:
    finished = pb.Finished(total_samples=16_000, language="en-GB", language_confidence=0.75)
    assert to_event(pb.RunSessionResponse(finished=finished)) == FinishedEvent(
        1_000_000, language="en", language_confidence=0.75
    )
    given = to_event(pb.RunSessionResponse(finished=pb.Finished(total_samples=16_000, language="de")))
    assert given == FinishedEvent(1_000_000, language="de")
    assert to_event(pb.RunSessionResponse(progress=pb.Progress(language="de"))) is None
