"""Instructions that change a meeting's tracks while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from meetra.v1 import live_pb2

ADD, END, RENAME = "add_track", "end_track", "rename_track"


@dataclass(eq=False, slots=True)
class Instruction:
    """One change of a track, until it is known to be carried out."""

    message: live_pb2.StreamMeetingRequest
    track_id: str
    after: Mapping[str, int] = field(default_factory=dict)
    """Up to which position of each track audio is to be sent before, and none beyond."""
    times_sent: int = 0
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def kind(self) -> str:
        """The field of the message that has the instruction."""
        return self.message.WhichOneof("payload") or ""

    def settle(self, error: BaseException | None = None) -> None:
        """Tell whoever waits that it was carried out, or why not."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
            # Whoever asked may be gone.
            self.done.exception()


def may_lead_to(change: live_pb2.LiveTrackChange, asked: Instruction) -> bool:
    """Return whether a change may be what an instruction of the same track has led to."""
    if asked.kind == RENAME:
        return change.change == live_pb2.TRACK_CHANGE_RENAMED
    return asked.kind == ADD or change.track.ended


def without_replaced_names(asked: list[Instruction]) -> list[Instruction]:
    """Return the instructions without names that a later one replaces; those are settled."""
    kept: list[Instruction] = []
    later: set[tuple[str, int]] = set()
    for each in reversed(asked):
        if each.kind == RENAME:
            place = each.track_id, each.message.rename_track.channel
            if place in later:
                each.settle()
                continue
            later.add(place)
        kept.append(each)
    return kept[::-1]
