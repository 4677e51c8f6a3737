"""A finished meeting of Vexa: its recording is analysed, and speakers get the names that Vexa saw.

    export VEXA_URL=https://api.cloud.vexa.ai VEXA_API_KEY=...
    python vexa.py google_meet abc-defg-hij

Vexa hands out one recording of everybody and, with each segment of its transcript, who speaks by the platform. A voice
gets the name that covers most of its time. docs/adapters.md has the rest.
"""

import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from urllib.parse import quote, urljoin, urlsplit

from meetra_client import MeetraError
from meetra_client.sync import MeetraClient

PATIENCE_S = 60
CHUNK_BYTES = 1024 * 1024
Span = tuple[int, int, str]
"""Start and end in milliseconds, and whose it is."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key would go along."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""


class Vexa:
    """Vexa's API, as far as it is needed here."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url.rstrip("/") + "/", key
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"VEXA_URL is {url}; it must begin with https://")
        self._opener = urllib.request.build_opener(NoRedirect)

    def open(self, path: str) -> BinaryIO:
        """Return the answer to a GET. Raises ValueError for another server: the key is for this one."""
        url = urljoin(self._url, path.lstrip("/") if path.startswith("/") else path)
        if urlsplit(url)[:2] != urlsplit(self._url)[:2]:
            raise ValueError(f"{url} is not on {self._url}")
        request = urllib.request.Request(url, headers={"X-API-Key": self._key})  # noqa: S310 - checked above
        answer: BinaryIO = self._opener.open(request, timeout=PATIENCE_S)
        return answer

    def get(self, path: str) -> Any:
        """Return the JSON of an answer."""
        with self.open(path) as answer:
            return json.load(answer)


def named_spans(segments: Iterable[dict[str, Any]]) -> list[Span]:
    """Return who speaks when by Vexa; segments without a speaker, and messages of the chat, are left out."""
    found = []
    for segment in segments:
        # Since 0.12 start and end, before start_time and end_time; seconds of the recording.
        start, end = (segment.get(name, segment.get(f"{name}_time")) for name in ("start", "end"))
        if segment.get("speaker") and segment.get("source") != "chat" and start is not None and end is not None:
            found.append((round(1000 * start), round(1000 * end), str(segment["speaker"])[:200]))
    return found


def names_of_voices(voices: Iterable[Span], named: Iterable[Span]) -> dict[str, str]:
    """Return a name for each voice of which one covers more than half of what is named; no name is given twice."""
    common: Counter[tuple[str, str]] = Counter()
    names = list(named)
    for start, end, voice in voices:
        for name_start, name_end, name in names:
            if (shared := min(end, name_end) - max(start, name_start)) > 0:
                common[voice, name] += shared
    totals: Counter[str] = Counter()
    for (voice, _), shared in common.items():
        totals[voice] += shared
    found: dict[str, str] = {}
    for (voice, name), shared in common.most_common():
        if voice not in found and name not in found.values() and 2 * shared > totals[voice]:
            found[voice] = name
    return found


def main(platform: str, meeting_id: str) -> None:
    vexa = Vexa(os.environ["VEXA_URL"], os.environ["VEXA_API_KEY"])
    meeting = vexa.get(f"/transcripts/{quote(platform, safe='')}/{quote(meeting_id, safe='')}")
    recordings = meeting.get("recordings") or []
    if not recordings:
        sys.exit("Vexa has no recording of this meeting: send the bot with recording_enabled")
    master = vexa.get(f"/recordings/{int(recordings[-1]['id'])}/master?type=audio")
    named = named_spans(meeting["segments"])
    with TemporaryDirectory() as folder, MeetraClient() as client:
        path = Path(folder) / "recording"
        with vexa.open(master["raw_url"]) as answer, path.open("wb") as file:
            shutil.copyfileobj(answer, file, CHUNK_BYTES)
        day = (meeting.get("start_time") or "")[:10]
        receipt = client.upload(path, name=f"{platform} {meeting_id}", date=day)
        client.wait(receipt.file_hash)
        sentences = client.transcript(receipt.file_hash, details=True).details.sentences
        voices = [(one.start_ms, one.end_ms, one.speaker) for one in sentences if one.speaker]
        names = names_of_voices(voices, named)
        for speaker in client.speakers(receipt.file_hash).speakers:
            name = names.get(speaker.id, "")
            if name:
                client.rename_speaker(speaker.id, name)
            print(f"{speaker.alias} is {name or 'not named by Vexa'}")
    print(receipt.file_hash)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (MeetraError, ValueError, urllib.error.URLError) as error:
        sys.exit(str(error))
