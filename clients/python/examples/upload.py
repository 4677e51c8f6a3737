"""An upload with progress, then some answers. ``python upload.py meeting.mp3``"""

import asyncio
import sys

from meetra_client import MeetingFailed, MeetraClient


def show(text: str) -> None:
    print(text, end="\n" if not sys.stderr.isatty() else "   \r", file=sys.stderr, flush=True)


async def main(path: str) -> None:
    async with MeetraClient() as client:
        receipt = await client.upload(path, progress=lambda sent, total: show(f"sent {sent} of {total} bytes"))
        try:
            await client.wait(receipt.file_hash, progress=lambda state: show(f"{state.progress_percent} %"))
        except MeetingFailed as failed:
            sys.exit(f"{path}: {failed}")
        balance = await client.insights.balance(receipt.file_hash)
        summaries = await client.insights.summaries(receipt.file_hash)
    print(receipt.file_hash)
    print(f"balance {balance.balance_score:.0f} of 100")
    print(*summaries.text_summary["Meeting summary"], sep="\n")


asyncio.run(main(sys.argv[1]))
