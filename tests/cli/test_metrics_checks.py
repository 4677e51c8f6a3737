"""What `meetra doctor` makes of a system's metrics."""

from __future__ import annotations

import pytest

from cli.findings import Finding, State
from cli.metrics_checks import check_engine, check_live, check_metrics, check_programs_run, read_series
from monitoring import MetricsServer

WELL = {
    'meetra_program_up{process="supervisor",program="api"}': 1,
    'meetra_program_up{process="supervisor",program="worker"}': 1,
    'meetra_program_restarts_total{process="supervisor",program="api"}': 0,
    'meetra_live_meetings{process="api"}': 2,
    'meetra_live_lag_seconds{process="api",of="turns"}': 0.4,
    'meetra_live_lag_seconds{process="api",of="words"}': 3,
    'meetra_live_unheard_tracks{process="api"}': 0,
    'meetra_engine_sessions{process="inference",kind="live"}': 3,
    'meetra_engine_sessions{process="inference",kind="upload"}': 1,
    'meetra_engine_sessions_limit{process="inference",kind="all"}': 8,
    'meetra_engine_sessions_limit{process="inference",kind="live"}': 6,
    'meetra_engine_sessions_limit{process="inference",kind="upload"}': 6,
    'meetra_engine_live_full{process="inference"}': 0,
    'meetra_engine_speech_seconds_total{process="inference",kind="live"}': 400,
    'meetra_engine_speech_without_words_seconds_total{process="inference",kind="live"}': 20,
}


def text(**changed: float) -> str:
    """Metrics of a system that is well, but for series whose names begin so."""
    lines = []
    for series, value in WELL.items():
        name = next((key for key in changed if series.startswith(f"meetra_{key}")), None)
        lines.append(f"{series} {value if name is None else changed[name]}\n")
    return "".join(lines)


def findings(**changed: float) -> dict[str, Finding]:
    series = read_series(text(**changed))
    return {one.about: one for one in (check_programs_run(series), check_live(series), check_engine(series))}


def test_a_system_that_is_well_is_said_to_be() -> None:
    told = findings()
    assert {finding.state for finding in told.values()} == {State.GOOD}
    assert told["programs run"].text == "api, worker, without a restart"
    assert told["live meetings"].text == "2 run; turns are at most 0.4 s late, words 3.0 s"
    assert told["engine"].text == "4 of 8 sessions are open"


@pytest.mark.parametrize(
    ("changed", "about", "state", "said"),
    [
        ({"program_up": 0}, "programs run", State.WRONG, "not running: api, worker"),
        ({"program_restarts": 3}, "programs run", State.ADVICE, "api 3 times"),
        ({"live_unheard": 2}, "live meetings", State.WRONG, "2 tracks find no engine"),
        ({"live_lag": 15}, "live meetings", State.ADVICE, "turns are at most 15.0 s late"),
        ({"engine_live_full": 1}, "live meetings", State.ADVICE, "further ones are refused until"),
        ({"engine_sessions{": 6}, "engine", State.ADVICE, "12 of 8 sessions are open; further ones wait"),
        ({"engine_speech_without": 300}, "engine", State.ADVICE, "75 % of the speech"),
        ({"engine_speech_": 200}, "engine", State.GOOD, "4 of 8"),
    ],
    ids=["down", "restarted", "unheard", "late", "refused", "full", "wordless", "little speech"],
)
def test_what_is_not_is_said_with_what_to_do(changed: dict[str, float], about: str, state: State, said: str) -> None:
    finding = findings(**changed)[about]
    assert (finding.state, said in finding.text) == (state, True), finding
    assert bool(finding.fix) is (state is not State.GOOD)


async def test_a_system_without_metrics_has_none_and_one_that_does_not_answer_is_told() -> None:
    assert await check_metrics({"metrics": None}) == []
    assert await check_metrics({}) == []
    server = MetricsServer("127.0.0.1:0", lambda: text().encode())
    address = f"http://{server.address}/metrics"
    assert len(await check_metrics({"metrics": address})) == 3
    server.close()
    (gone,) = await check_metrics({"metrics": address})
    assert (gone.state, gone.about) == (State.WRONG, "metrics")
