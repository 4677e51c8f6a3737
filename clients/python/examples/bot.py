"""A bot: raw audio from standard input, 16-bit mono at 16 kHz, and who says what while it comes."""

import asyncio
import sys

from meetra_client import MeetraClient, Track, Turn, TurnState


async def main() -> None:
    async with MeetraClient() as client, client.live(name="A bot", tracks=[Track("mix")]) as meeting:

        async def listen() -> None:
            async for event in meeting.events():
                match event:
                    case Turn(state=TurnState.STABLE | TurnState.FINAL, alias=alias, text=text) if text:
                        print(f"{alias}: {text}", flush=True)

        listening = asyncio.create_task(listen())
        while audio := await asyncio.to_thread(sys.stdin.buffer.read, 3200):
            await meeting.send("mix", audio)
        finished = await meeting.finish()
        await listening
    print(finished.status, finished.file_hash)


asyncio.run(main())
