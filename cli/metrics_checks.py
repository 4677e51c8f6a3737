"""What ``meetra doctor`` reads in the metrics of a running system: programs, live meetings, the engine."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from cli.findings import Finding, State
from monitoring import METRICS_PATH, ScrapeFailed, scrape

# Beyond these lags, seconds, clients are warned as well (server/live/observations.py).
TURNS_LATE_S, WORDS_LATE_S = 10.0, 20.0
# Of so much speech at least, seconds, this share without words is strange.
ENOUGH_SPEECH_S, STRANGE_SHARE = 300.0, 0.5
# The processes are asked by the supervisor, for up to five seconds.
PATIENCE_S = 10.0

Series = Mapping[str, Mapping[str, float]]


async def check_metrics(system: Mapping[str, Any]) -> list[Finding]:
    """Read the metrics of the system, which may tell none."""
    address = str(system.get("metrics") or "")
    if not address:
        return []
    listen = address.removeprefix("http://").removesuffix(METRICS_PATH) if address.startswith("http") else address
    try:
        text = await asyncio.to_thread(scrape, listen, timeout_s=PATIENCE_S)
        series = read_series(text)
    except (ScrapeFailed, ValueError) as error:
        return [Finding("metrics", State.WRONG, f"{address}: {error}", "stop `meetra up` and start it again")]
    return [check_programs_run(series), check_live(series), check_engine(series)]


def read_series(text: str) -> Series:
    """Return the values of metrics in Prometheus's text format: by name, by the label that tells them apart.

    Series that differ in further labels are added. Raises ValueError for another text.
    """
    found: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            label = next((sample.labels[name] for name in ("program", "kind", "of") if name in sample.labels), "")
            found[sample.name][label] += sample.value
    return found


def check_programs_run(series: Series) -> Finding:
    """Look for programs that do not run, or that had to be started again."""
    up, restarts = series.get("meetra_program_up", {}), series.get("meetra_program_restarts_total", {})
    down = sorted(name for name, value in up.items() if not value)
    if down:
        logs = ", ".join(f"{name}.log" for name in down)
        return Finding("programs run", State.WRONG, f"not running: {', '.join(down)}", f"see {logs} in the data folder")
    again = [f"{name} {count:.0f} times" for name, count in sorted(restarts.items()) if count]
    if again:
        text = f"all run; started again: {', '.join(again)}"
        return Finding("programs run", State.ADVICE, text, "their logs in the data folder say why they ended")
    return Finding("programs run", State.GOOD, f"{', '.join(sorted(up))}, without a restart")


def check_live(series: Series) -> Finding:
    """Look at how far live meetings are behind."""
    meetings = sum(series.get("meetra_live_meetings", {}).values())
    lags = series.get("meetra_live_lag_seconds", {})
    turns_s, words_s = lags.get("turns", 0.0), lags.get("words", 0.0)
    unheard = sum(series.get("meetra_live_unheard_tracks", {}).values())
    text = f"{meetings:.0f} run; turns are at most {turns_s:.1f} s late, words {words_s:.1f} s"
    if unheard:
        text += f"; {unheard:.0f} tracks find no engine, and are analysed later"
        return Finding("live meetings", State.WRONG, text, "see inference.log: it is full, or fails")
    refused = any(series.get("meetra_engine_live_full", {}).values())
    if refused:
        text += "; further ones are refused until the engine is less late"
    if refused or turns_s > TURNS_LATE_S or words_s > WORDS_LATE_S:
        fix = "fewer meetings at once, more processors, or a GPU (docs/performance.md)"
        return Finding("live meetings", State.ADVICE, text, fix)
    return Finding("live meetings", State.GOOD, text)


def check_engine(series: Series) -> Finding:
    """Look at the sessions of the engine, and whether it finds words in speech."""
    sessions, limits = series.get("meetra_engine_sessions", {}), series.get("meetra_engine_sessions_limit", {})
    speech_s = sum(series.get("meetra_engine_speech_seconds_total", {}).values())
    wordless_s = sum(series.get("meetra_engine_speech_without_words_seconds_total", {}).values())
    text = f"{sum(sessions.values()):.0f} of {limits.get('all', 0):.0f} sessions are open"
    full = [kind for kind, count in sessions.items() if count >= limits.get(kind, count + 1)]
    if full or sum(sessions.values()) >= limits.get("all", 1):
        fix = "raise MEETRA_INFERENCE_MAX_SESSIONS where processors are idle, else add an engine"
        return Finding("engine", State.ADVICE, f"{text}; further ones wait", fix)
    if speech_s >= ENOUGH_SPEECH_S and wordless_s > STRANGE_SHARE * speech_s:
        text += f"; {100 * wordless_s / speech_s:.0f} % of the speech since the start has no words"
        return Finding("engine", State.ADVICE, text, "does the recogniser know the language? (docs/models.md)")
    return Finding("engine", State.GOOD, text)
