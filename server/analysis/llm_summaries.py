"""Summaries and notes by a language model behind an OpenAI-compatible endpoint, if one is configured.

What it answers is not trusted: time and size are bounded, no redirect is followed, and texts are cleaned. On any
failure what is extracted is used.
"""

from __future__ import annotations

import asyncio
import json
import logging

import httpx

from server.analysis.model_answer import PROMPT, ModelTexts, UnusableSummary, format_transcript, parse_answer
from server.config import ServerSettings
from server.conversation import Conversation

log = logging.getLogger(__name__)
# About 100 000 tokens; the middle of a longer transcript is cut out.
MAX_TRANSCRIPT_CHARACTERS = 300_000
MAX_ANSWER_BYTES = 256 * 1024


class SummaryWriter:
    """Request summaries and notes from the configured endpoint."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings

    async def write(self, conversation: Conversation) -> ModelTexts | None:
        """Return what the model wrote; None if no endpoint is configured, nothing was said, or the request fails."""
        if not self._settings.summary_url or not conversation.sentences:
            return None
        try:
            return parse_answer(await self._ask(conversation), conversation)
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
                {"role": "user", "content": format_transcript(conversation, MAX_TRANSCRIPT_CHARACTERS)},
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
