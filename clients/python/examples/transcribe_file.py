"""A file: who said what in a recording, without asyncio. ``python transcribe_file.py meeting.mp3``"""

import sys

from meetra_client.sync import MeetraClient

with MeetraClient() as client:
    file_hash = client.upload(sys.argv[1]).file_hash
    client.wait(file_hash)
    names = {speaker.id: speaker.alias for speaker in client.speakers(file_hash).speakers}
    for entry in client.transcript(file_hash).transcription:
        print(f"{entry.start_timestamp}  {names[entry.speaker]}: {entry.transcription}")
