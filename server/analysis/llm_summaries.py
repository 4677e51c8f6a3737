"""Summaries by a language model behind an OpenAI-compatible endpoint, if one is configured.

What it answers is not trusted: time and size are bounded, no redirect is followed, and texts are cleaned. On any
failure the extractive summaries are used.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import httpx

from server.config import ServerSettings
from server.conversation import Conversation
from server.insights import SummaryTexts
from server.visible_text import to_readable

log = logging.getLogger(__name__)
# About 100 000 tokens; the middle of a longer transcript is cut out.
MAX_TRANSCRIPT_CHARACTERS = 300_000
MAX_ANSWER_BYTES = 256 * 1024
MAX_SENTENCES = 20
MAX_SENTENCE_CHARACTERS = 2000
PROMPT = (
    "You summarise meetings. The transcript has one line for each sentence, beginning with the speaker's number. "
    'Answer with JSON alone: {"meeting": [sentence, ...], "speakers": {"<number>": [sentence, ...]}}. '
    "Give three to eight sentences for the meeting and one to three for each speaker, in the transcript's language. "
    "Say only what the transcript says."
)


class UnusableSummary(Exception):
    """The endpoint returned nothing usable; the message quotes nothing of it."""


class SummaryWriter:
    """Request summaries from the configured endpoint."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings

    async def write(self, conversation: Conversation) -> SummaryTexts | None:
        """Return the model's summaries; None if no endpoint is configured, nothing was said, or the request fails."""
        if not self._settings.summary_url or not conversation.sentences:
            return None
        try:
            return parse_summaries(await self._ask(conversation), conversation)
        except UnusableSummary as error:
            log.warning("no summary from the language model (%s); the extractive one is used", error)
        # Not all of what an enemy's answer raises is an httpx.HTTPError, and none of it may fail the meeting.
        except Exception as error:
            log.warning("no summary from the language model (%s); the extractive one is used", type(error).__name__)
        return None

    async def _ask(self, conversation: Conversation) -> str:
        settings = self._settings
        # A small compressed answer may be hundreds of megabytes.
        headers = {"Accept-Encoding": "identity"}
        if key := settings.summary_key.get_secret_value():
            headers["Authorization"] = f"Bearer {key}"
        body = {
            "model": settings.summary_model,
            "temperature": 0,
            "response_format": {"type": "json_object"},
            "messages": [
                {"role": "system", "content": PROMPT},
                {"role": "user", "content": format_transcript(conversation)},
            ],
        }
        url = settings.summary_url.rstrip("/") + "/chat/completions"
        async with (
            asyncio.timeout(settings.summary_timeout_s),
            # Redirects would carry the transcript to wherever the answer says.
            httpx.AsyncClient(timeout=settings.summary_timeout_s, follow_redirects=False) as client,
            client.stream("POST", url, json=body, headers=headers) as response,
        ):
            answer = await _read(response)
        try:
            content = json.loads(answer)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise UnusableSummary("the answer is not a chat completion") from error
        if not isinstance(content, str):
            raise UnusableSummary("the answer contains no text")
        return content


async def _read(response: httpx.Response) -> bytes:
    """Return the body of a successful answer. Raises UnusableSummary."""
    if response.status_code != httpx.codes.OK:
        raise UnusableSummary(f"status {response.status_code}")
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnusableSummary("the answer is compressed, which was not asked for")
    answer = bytearray()
    async for chunk in response.aiter_raw():
        answer += chunk
        if len(answer) > MAX_ANSWER_BYTES:
            raise UnusableSummary("the answer is too long")
    return bytes(answer)


def format_transcript(conversation: Conversation) -> str:
    """Format one line per sentence with the speaker's number, cutting the middle of a very long meeting."""
    text = "\n".join(f"{s.speaker}: {s.text}" for s in conversation.sentences)
    half = MAX_TRANSCRIPT_CHARACTERS // 2
    return text if len(text) <= 2 * half else f"{text[:half]}\n[...]\n{text[-half:]}"


def parse_summaries(content: str, conversation: Conversation) -> SummaryTexts:
    """Parse and validate the model's answer. Raises UnusableSummary."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnusableSummary("the model did not return JSON") from error
    if not isinstance(answer, dict) or not isinstance(per_speaker := answer.get("speakers", {}), dict):
        raise UnusableSummary("the model returned an unexpected structure")
    meeting = _sentences(answer.get("meeting"))
    if not meeting:
        raise UnusableSummary("the model returned no summary")
    speakers = [[speaker, _sentences(per_speaker.get(str(speaker), []))] for speaker in conversation.speakers]
    return {"speakers": speakers, "meeting": meeting, "method": "abstractive"}


def _sentences(value: Any) -> list[str]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnusableSummary("the model returned an unexpected structure")
    # Nothing that PostgreSQL cannot store, that hides, or that acts on a terminal.
    readable = (to_readable(item, MAX_SENTENCE_CHARACTERS) for item in value[:MAX_SENTENCES])
    return [sentence for sentence in readable if sentence]
