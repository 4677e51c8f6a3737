"""People who join one after another and leave: ``python conference.py Ada=ada.wav Ben=ben.wav``, WAV of 16-bit mono."""

import asyncio
import sys
import wave

from meetra_client import LiveMeeting, MeetraClient, MeetraError, Track, TrackChange, Turn, TurnState


async def take_part(meeting: LiveMeeting, number: int, name: str, path: str) -> None:
    with wave.open(path) as audio:
        track = Track(f"participant-{number}", participant_name=name, sample_rate_hz=audio.getframerate())
        try:
            await meeting.add_track(track)  # from now on
        except MeetraError as refused:
            print(f"{name} cannot take part: {refused}", file=sys.stderr)
            return
        while samples := audio.readframes(1600):
            await meeting.send(track.track_id, samples)
    await meeting.end_track(track.track_id)  # after all of it


async def main(participants: list[str]) -> None:
    async with MeetraClient() as client, client.live(name="Conference", tracks=[Track("room")]) as meeting:

        async def listen() -> None:
            async for event in meeting.events():
                match event:
                    case TrackChange(change=change, track=track):
                        print(f"{track.participant_name} {change.name.lower()}")
                    case Turn(state=TurnState.FINAL, alias=alias, text=text):
                        print(f"{alias}: {text}")

        listening = asyncio.create_task(listen())
        for number, participant in enumerate(participants, 1):
            await take_part(meeting, number, *participant.split("=", 1))
        finished = await meeting.finish()
        await listening
        pieces = [piece async for piece in client.export_meeting(finished.file_hash, "srt")]
        print(b"".join(pieces).decode())


asyncio.run(main(sys.argv[1:]))
