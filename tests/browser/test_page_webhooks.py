"""Webhooks in the settings page, in a real Chromium: added, tried, replayed, paused, given a new secret, deleted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.browser.person import Person
from tests.server.webhooks.receiver import Receiver

# Its name has the moment of the delivery.
AGAIN = """() => document.querySelector('[aria-label^="Send again: A test"]').click()"""


@contextmanager
def listening(receiver: Receiver) -> Iterator[None]:
    """The receiver, on a loop of its own: the browser is driven without one."""
    loop, started = asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        async with receiver.up():
            started.set()
            await asyncio.Event().wait()

    task = loop.create_task(serve())

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def test_a_webhook_is_added_tried_paused_and_deleted(person: Person) -> None:
    receiver = Receiver()
    with listening(receiver):
        person.go("/settings/webhooks")
        person.reads("There are no webhooks.")
        person.check()
        person.fill("Address", "https://10.0.0.1/")
        person.press("Add the webhook")
        person.reads("not public")
        person.fill("Address", receiver.url)
        person.fill("Description", "Our CRM")
        person.press("Add the webhook")
        person.reads("is added. Copy its secret now", "Our CRM", "Active")
        receiver.secret = person.value("The new secret")
        person.check()
        person.press(f"Test {receiver.url}")
        person.reads(f"Sent to {receiver.url}", "A test", "Arrived", "HTTP status 200")
        (headers, _), *_ = receiver.got
        assert headers["webhook-id"] in receiver.accepted
        person.check()
        person.page.evaluate(AGAIN)
        person.until(lambda: receiver.times[headers["webhook-id"]] == 2)
        person.press(f"Pause {receiver.url}")
        person.reads("The webhook is paused.", "Paused. Paused by a user")
        person.manages(lambda: person.press(f"Resume {receiver.url}"))
        person.reads("The webhook is active.")
        person.press(f"New secret for {receiver.url}")
        person.confirm()
        person.reads("has a new secret", "The old secret counts until")
        assert person.value("The new secret") != receiver.secret
        person.check()
        person.press(f"Delete {receiver.url}")
        person.confirm()
        person.reads("There are no webhooks.")
