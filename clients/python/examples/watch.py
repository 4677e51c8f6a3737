"""A watcher: the events of a meeting that somebody else sends. ``python watch.py SESSION_ID``"""

import asyncio
import sys

from meetra_client import Finished, Insights, LiveWarning, MeetraClient, SpeakerRevision, Turn, TurnState


async def main(session_id: str) -> None:
    async with MeetraClient() as client:
        async for event in client.watch(session_id):
            match event:
                case Turn(state=TurnState.RETRACTED, segment_id=segment_id):
                    print(f"{segment_id} is no more")
                case Turn(segment_id=segment_id, alias=alias, text=text, start_ms=start_ms):
                    print(f"{segment_id} from {start_ms / 1000:.1f} s, {alias}: {text}")
                case SpeakerRevision(kind=kind, segment_ids=segment_ids):
                    print(f"{kind.name.lower()}: {len(segment_ids)} segments have changed speaker")
                case Insights(speakers=speakers):
                    print(", ".join(f"{each.alias} {each.speaking_percentage:.0f} %" for each in speakers))
                case LiveWarning(code=code, text=text):
                    print(f"{code.name.lower()}: {text}")
                case Finished(status=status, file_hash=file_hash):
                    print(status, file_hash)


asyncio.run(main(sys.argv[1]))
