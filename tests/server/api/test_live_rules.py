"""Rules of live meetings, as they come and as an organization keeps them, over real gRPC."""

from __future__ import annotations

from typing import Any

import pytest
from meetra.v1 import live_pb2, organization_pb2_grpc
from meetra.v1 import organization_pb2 as org
from meetra.v1 import rules_pb2 as pb

from server.api.live_rules import rule_messages, validate_rules
from server.api.live_validation import validate_config
from server.errors import BadRequest
from server.storage.pool import Database
from tests.server.api.conftest import Api
from tests.server.api.test_open_calls import bearer
from tests.server.api.test_users import refusal
from tests.server.storage.rows import make_user

RULES = [
    pb.LiveRule(id="a", monologue=pb.MonologueRule(longer_than_s=5)),
    pb.LiveRule(id="b.B-1_", not_heard=pb.NotHeardRule(longer_than_s=43_200)),
    pb.LiveRule(id="c", phrase=pb.PhraseRule(phrases=["Too much", "予算"], said_by="Ana")),
    pb.LiveRule(id="d", sentiment=pb.SentimentRule(below=40, window_s=30)),
    pb.LiveRule(id="e", speaking_share=pb.SpeakingShareRule(above_percent=99, window_s=3600)),
    pb.LiveRule(id="f", silence=pb.SilenceRule(longer_than_s=60)),
]


def test_rules_are_what_was_given() -> None:
    assert rule_messages(validate_rules("rules", RULES)) == RULES
    spaced = pb.LiveRule(id="a", phrase=pb.PhraseRule(phrases=["  too much "], said_by=" Ana "))
    (message,) = rule_messages(validate_rules("rules", [spaced]))
    assert message.phrase == pb.PhraseRule(phrases=["too much"], said_by="Ana")


def phrase(*phrases: str, said_by: str = "") -> dict[str, Any]:
    return {"phrase": pb.PhraseRule(phrases=phrases, said_by=said_by)}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no id", {"id": "", **phrase("a")}, "[0].id: must be 1 to 64 letters, digits, '.', '_' or '-'"),
    ("a space in the id", {"id": "a b", **phrase("a")}, "[0].id: must be 1 to 64 letters, digits, '.', '_' or '-'"),
    ("a long id", {"id": "a" * 65, **phrase("a")}, "[0].id: must be 1 to 64 letters, digits, '.', '_' or '-'"),
    (
        "no kind",
        {},
        "[0]: must have one of monologue, not_heard, phrase, sentiment, speaking_share, silence",
    ),
    ("short monologue", {"monologue": pb.MonologueRule(longer_than_s=4)}, ".longer_than_s: 4; must be 5 to 43200"),
    ("no bound", {"monologue": pb.MonologueRule()}, "[0].monologue.longer_than_s: 0; must be 5 to 43200"),
    ("long absence", {"not_heard": pb.NotHeardRule(longer_than_s=2**31 - 1)}, "; must be 10 to 43200"),
    ("negative", {"silence": pb.SilenceRule(longer_than_s=-60)}, "[0].silence.longer_than_s: -60; must be 5 to 43200"),
    (
        "sentiment",
        {"sentiment": pb.SentimentRule(below=101, window_s=60)},
        "[0].sentiment.below: 101; must be 1 to 100",
    ),
    (
        "window",
        {"sentiment": pb.SentimentRule(below=40, window_s=29)},
        "[0].sentiment.window_s: 29; must be 30 to 3600",
    ),
    (
        "share",
        {"speaking_share": pb.SpeakingShareRule(above_percent=100, window_s=60)},
        "[0].speaking_share.above_percent: 100; must be 1 to 99",
    ),
    ("no phrase", phrase(), "[0].phrase.phrases: 0 phrases; must be 1 to 20"),
    ("phrases", phrase(*map(str, range(21))), "[0].phrase.phrases: 21 phrases; must be 1 to 20"),
    ("a long phrase", phrase("ok", "a" * 101), "[0].phrase.phrases[1]: 101 characters; at most 100"),
    ("no words", phrase(".*"), "[0].phrase.phrases[0]: has no words; must contain letters or digits"),
    ("empty", phrase(""), "[0].phrase.phrases[0]: has no words; must contain letters or digits"),
    ("redacted", phrase("the [EMAIL]"), "[0].phrase.phrases[0]: has no words; must contain letters or digits"),
    ("control", phrase("a\nb"), "[0].phrase.phrases[0]: contains control characters; remove them"),
    ("direction", phrase("a\u202eb"), "[0].phrase.phrases[0]: contains bidirectional control characters; remove them"),
    ("a long speaker", phrase("a", said_by="a" * 201), "[0].phrase.said_by: 201 characters; at most 200"),
    ("speaker", phrase("a", said_by="a\x00"), "[0].phrase.said_by: contains control characters; remove them"),
]


@pytest.mark.parametrize(("fields", "said"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_rule_is_named_with_the_fix(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest) as raised:
        validate_rules("rules", [pb.LiveRule(**{"id": "a", **fields})])
    assert said in str(raised.value)


def test_ids_are_given_once_and_rules_are_bounded() -> None:
    with pytest.raises(BadRequest, match=r"rules\[1\].id: a is already used by another rule"):
        validate_rules("rules", [RULES[0], RULES[0]])
    many = [pb.LiveRule(id=str(number), silence=pb.SilenceRule(longer_than_s=60)) for number in range(33)]
    assert len(validate_rules("rules", many[:32])) == 32
    with pytest.raises(BadRequest, match="rules: 33 rules; at most 32"):
        validate_rules("rules", many)


def test_those_of_a_meeting_are_named_in_its_config() -> None:
    encoding = live_pb2.AUDIO_ENCODING_PCM_S16LE
    track = live_pb2.TrackConfig(track_id="t", kind=live_pb2.TRACK_KIND_MIXED, encoding=encoding, sample_rate_hz=16_000)
    config = validate_config(live_pb2.LiveConfig(tracks=[track], rules=RULES))
    assert rule_messages(config.rules) == RULES
    with pytest.raises(BadRequest, match=r"config.rules\[0\].id: must be"):
        validate_config(live_pb2.LiveConfig(tracks=[track], rules=[pb.LiveRule(id="?")]))


async def test_an_organization_keeps_its_rules(api: Api) -> None:
    service = organization_pb2_grpc.OrganizationServiceStub(api.channel)

    async def kept() -> list[pb.LiveRule]:
        answer = await service.GetLiveRules(org.GetLiveRulesRequest(), metadata=api.metadata)
        return list(answer.rules)

    assert await kept() == []
    for rules in (RULES, RULES[2:3], []):
        answer = await service.SetLiveRules(org.SetLiveRulesRequest(rules=rules), metadata=api.metadata)
        assert list(answer.rules) == rules
        assert await kept() == rules
    wrong = service.SetLiveRules(org.SetLiveRulesRequest(rules=[*RULES, RULES[0]]), metadata=api.metadata)
    assert await refusal(wrong) == ("INVALID_ARGUMENT", "Bad request: rules[6].id: a is already used by another rule")
    assert await kept() == []


async def test_readers_see_the_rules_and_owners_alone_replace_them(api: Api, owner: Database) -> None:
    service = organization_pb2_grpc.OrganizationServiceStub(api.channel)
    for role, sees in (("reader", True), ("member", True), ("bot", False)):
        await make_user(owner, "Org", f"{role}@example.org", role)
        metadata = await bearer(api, "Org", f"{role}@example.org")
        replacing = service.SetLiveRules(org.SetLiveRulesRequest(rules=RULES), metadata=metadata)
        assert (await refusal(replacing))[0] == "PERMISSION_DENIED"
        reading = service.GetLiveRules(org.GetLiveRulesRequest(), metadata=metadata)
        if sees:
            assert list((await reading).rules) == []
        else:
            assert (await refusal(reading))[0] == "PERMISSION_DENIED"
