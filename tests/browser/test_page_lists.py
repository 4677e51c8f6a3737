"""The pages "Meetings" and "Settings" in a real Chromium: found, watched while analysed, deleted and kept; set up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.chromium import Page
from tests.browser.conftest import OpenPage
from tests.e2e.checkpoint import held
from tests.e2e.conftest import Rest, System
from tests.node import NODE_MODULES
from tests.recordings import excerpt

PATIENCE_S = 300.0
# Calls of the page, in the words of somebody who uses it: what is visible, by its role and name.
FIND = """
const named = (element) => (element.getAttribute("aria-label") ?? element.innerText ?? element.value).trim();
const find = (selector, name) => {
  const found = [...document.querySelectorAll(selector)].find((element) =>
    named(element) === name && element.getClientRects().length > 0);
  if (!found) throw new Error(`no ${selector} is called ${name}`);
  return found;
};
const field = (label) => {
  const found = [...document.querySelectorAll("label")].find((element) => element.innerText.trim().startsWith(label));
  const control = found?.querySelector("input, select") ?? document.querySelector(`[aria-label="${label}"]`);
  if (!control) throw new Error(`no field is called ${label}`);
  return control;
};
"""
PRESS = f"(name) => {{ {FIND} find('button, a', name).click(); }}"
FILL = f"""([label, value]) => {{
  {FIND}
  const control = field(label);
  if (control.type === "checkbox") {{ if (control.checked !== value) control.click(); return; }}
  control.value = value;
  for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, {{ bubbles: true }}));
}}"""
VALUE = f"""(label) => {{
  {FIND}
  const control = field(label);
  return control.type === "checkbox" ? control.checked : control.value;
}}"""
SHOWN = "() => document.querySelector('main')?.innerText ?? ''"
ROWS = """() => [...document.querySelectorAll('.meeting-table tbody tr')].map((row) => row.innerText)"""
AXE = """async () => (await axe.run()).violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])"""
FOREIGN = """() => performance.getEntriesByType("resource").map(({ name }) => new URL(name))
  .filter(({ origin }) => origin !== location.origin).map(({ href }) => href)"""


class Person:
    """Somebody at the page."""

    def __init__(self, page: Page, system: System, email: str = "", password: str = "") -> None:
        self.page, self.gateway = page, system.gateway
        token = system.login(email, password).token
        page.evaluate("(token) => localStorage.setItem('meetra-token', token)", token)

    def go(self, place: str) -> None:
        self.page.open(f"{self.gateway}/?{time.monotonic_ns()}#{place}")

    def press(self, name: str) -> None:
        self.page.evaluate(PRESS, name)

    def fill(self, label: str, value: str | bool) -> None:
        self.page.evaluate(FILL, [label, value])

    def value(self, label: str) -> Any:
        return self.page.evaluate(VALUE, label)

    def rows(self) -> list[str]:
        """The meetings that are listed, as they are shown."""
        rows: list[str] = self.page.evaluate(ROWS)
        return rows

    def reads(self, *texts: str) -> str:
        """Wait until all texts are shown."""
        shown: str = self.until(lambda: self._shows(texts))
        return shown

    def _shows(self, texts: tuple[str, ...]) -> str:
        shown: str = self.page.evaluate(SHOWN)
        return shown if all(text in shown for text in texts) else ""

    def until(self, arrived: Callable[[], Any]) -> Any:
        """Wait until ``arrived`` returns something true, and return that; what it needs may be missing until then."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if found := arrived():
                    return found
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            assert time.monotonic() < deadline, f"{self.page.evaluate(SHOWN)}\n{self.page.console()}"
            time.sleep(0.1)

    def manages(self, act: Callable[[], object]) -> None:
        """Act as soon as what that needs is shown."""

        def managed() -> bool:
            act()
            return True

        self.until(managed)

    def check(self) -> None:
        """What holds of every page: nobody is shut out, and nobody else is asked."""
        self.page.evaluate((NODE_MODULES / "axe-core" / "axe.min.js").read_text().join(("() => {", "}")))
        assert self.page.evaluate(AXE) == []
        assert self.page.evaluate(FOREIGN) == []


@pytest.fixture
def person(open_page: OpenPage, system: System) -> Person:
    return Person(open_page(system.gateway), system)


@pytest.fixture
def rest(system: System) -> Rest:
    return system.login()


def test_meetings_are_found_sorted_and_named_in_the_address(person: Person, rest: Rest) -> None:
    for number, (name, date) in enumerate((("Rückblick B", "2020-01-02"), ("Rückblick A", "2020-01-03"))):
        rest.analysed(excerpt(5, mark=f"page {number}"), name=name, date=date)
    person.go("/")
    person.manages(lambda: person.fill("Search", "RÜCKBLICK"))
    person.until(lambda: len(person.rows()) == 2)
    assert ["Ready" in row for row in person.rows()] == [True, True]
    person.press("Meeting")
    person.until(lambda: [row.split("\n")[0] for row in person.rows()] == ["Rückblick A", "Rückblick B"])
    person.press("Date")
    person.until(
        lambda: "search=R" in person.page.evaluate("() => location.hash") and "Rückblick A" in person.rows()[0]
    )
    person.check()
    # The address is the list: it can be kept and handed on.
    person.page.evaluate("() => location.reload()")
    person.until(lambda: len(person.rows()) == 2)
    assert person.value("Search") == "RÜCKBLICK"
    person.fill("From", "2020-01-03")
    person.until(lambda: [row.split("\n")[0] for row in person.rows()] == ["Rückblick A"])
    person.fill("Person", "nobody of this name")
    person.reads("No meeting matches.")
    person.check()
    person.press("Show all meetings")
    person.until(lambda: len(person.rows()) >= 2)
    assert person.value("Search") == ""


async def test_progress_is_shown_as_it_happens(person: Person, system: System, rest: Rest) -> None:
    recording = excerpt(20, mark="watched")
    person.go("/")
    async with held(system, recording) as point:
        rest.upload(recording, name="Under way")
        await point.reached()
        person.until(lambda: any("Under way" in row and "%" in row for row in person.rows()))
        person.check()
    person.until(lambda: any("Under way" in row and "Ready" in row for row in person.rows()))


def test_a_deleted_meeting_is_kept_within_a_minute_or_goes(person: Person, rest: Rest) -> None:
    file_hash = rest.analysed(excerpt(5, mark="page, deleted"), name="Regretted")
    person.go("/")
    person.manages(lambda: person.press("Delete Regretted"))
    person.until(lambda: any("Regretted" in row and "Deleted in" in row for row in person.rows()))
    person.check()
    person.press("Undo the deletion of Regretted")
    person.until(lambda: any("Regretted" in row and "Ready" in row for row in person.rows()))
    assert rest.get("/single-feature-api/meeting/status", file_hash=file_hash).status_code == 200
    # A shorter wait than the page's, so that the test has none.
    query = {"file-hash": file_hash, "undo_seconds": "1"}
    assert rest.http.delete("/single-feature-api/meeting", params=query).status_code == 200
    person.until(lambda: not any("Regretted" in row for row in person.rows()))


def test_settings_are_changed_and_kept(person: Person, rest: Rest) -> None:
    person.go("/settings/privacy")
    person.manages(lambda: person.fill("Numbers of payment cards", True))
    person.fill("Refuse recordings", True)
    person.press("Save")
    person.reads("Saved.")
    person.check()
    policy = rest.http.get("/api/organization").json()["organization"]["policy"]
    assert (policy["redact"], policy["consent_required"]) == ("card", True)
    person.go("/settings/privacy")
    person.until(lambda: person.value("Numbers of payment cards") is True)
    person.fill("Numbers of payment cards", False)
    person.fill("Refuse recordings", False)
    person.press("Save")
    person.reads("Saved.")
    person.go("/settings/retention")
    person.manages(lambda: person.fill("Recordings: days", "30000"))
    person.press("Save")
    # What cannot be undone is asked first.
    person.until(lambda: person.page.evaluate("() => !!document.querySelector('dialog[open]')"))
    person.check()
    assert rest.http.get("/api/organization").json()["organization"]["policy"]["retention_audio_days"] == 0
    person.press("Save and delete")
    person.reads("Saved.")
    assert rest.http.get("/api/organization").json()["organization"]["policy"]["retention_audio_days"] == 30000
    person.fill("Recordings: days", "0")
    person.press("Save")
    person.until(
        lambda: rest.http.get("/api/organization").json()["organization"]["policy"]["retention_audio_days"] == 0
    )


def test_a_key_is_made_used_counted_and_revoked(person: Person, system: System, rest: Rest) -> None:
    person.go("/settings/keys")
    person.manages(lambda: person.fill("Name", "Recorder"))
    person.press("Make a key")
    person.reads("Choose at least one thing")
    person.fill("Upload recordings", True)
    person.press("Make a key")
    person.reads("The key Recorder is made.")
    secret = person.value("The new key")
    person.check()
    key = Rest(system.gateway, secret)
    file_hash = key.upload(excerpt(5, mark="by key")).json()["file_hash"]
    assert rest.settled(file_hash)["status"] == "ready"
    person.go("/settings/usage")
    person.reads("Audio by user and key", "Recorder", system.email)
    person.check()
    person.go("/settings/keys")
    person.manages(lambda: person.press("Revoke Recorder"))
    person.press("Revoke")
    person.reads("The key Recorder is void.")
    assert key.get("/single-feature-api/meeting/status", file_hash=file_hash).status_code == 401


def test_users_voices_and_models_are_shown(person: Person, system: System, rest: Rest) -> None:
    person.go("/settings/users")
    person.reads("Users", system.email, "Enabled")
    person.check()
    person.manages(lambda: person.press(f"Disable {system.email}"))
    # The last owner stays.
    person.reads("owner")
    assert rest.http.get("/api/users").json()["users"][0]["disabled"] is False
    person.go("/settings/voices")
    person.manages(lambda: person.press("Recognise voices"))
    person.reads("Voices are recognised.", "Stop and erase all voices")
    assert rest.http.get("/api/voices").json()["recognise"] is True
    person.check()
    person.press("Stop and erase all voices")
    person.manages(lambda: person.page.evaluate("() => document.querySelector('dialog[open] .danger').click()"))
    person.reads("Voices are not recognised")
    person.go("/settings/models")
    person.reads("voice activity", "speech recognition", "MIT", "Allowed")
    person.check()


def test_who_is_no_owner_may_look_and_is_told_why_not_more(open_page: OpenPage, system: System, rest: Rest) -> None:
    rest.analysed(excerpt(5, mark="page, reader"), name="Not yours to delete")
    added = system.meetra("users", "add", "reader@example.org", "--role", "reader").stdout
    reader = Person(open_page(system.gateway), system, "reader@example.org", added.split("password ")[1].split()[0])
    reader.go("/")
    reader.manages(lambda: reader.press("Delete Not yours to delete"))
    reader.reads("Not yours to delete: ", "reader")
    assert any("Ready" in row for row in reader.rows() if "Not yours" in row)
    reader.go("/settings/users")
    reader.reads("Only owners of the organization may do this.")
    reader.go("/settings/privacy")
    reader.manages(lambda: reader.fill("Refuse recordings", True))
    reader.press("Save")
    reader.reads("Only owners of the organization may do this.")
    reader.check()


def test_a_password_is_changed_and_somebody_signs_out_everywhere(open_page: OpenPage, system: System) -> None:
    added = system.meetra("users", "add", "changing@example.org", "--role", "member").stdout
    first, second = added.split("password ")[1].split()[0], "another password, longer"
    elsewhere = system.login("changing@example.org", first)
    person = Person(open_page(system.gateway), system, "changing@example.org", first)
    person.go("/settings")
    person.manages(lambda: person.fill("Current password", "not this one"))
    person.fill("New password", second)
    person.fill("New password, again", "another")
    person.press("Change the password")
    person.reads("The two new passwords differ.")
    person.fill("New password, again", second)
    person.press("Change the password")
    person.reads("Invalid email or password")
    person.check()
    person.fill("Current password", first)
    person.press("Change the password")
    person.reads("The password is changed.")
    assert elsewhere.get("/api/voices").status_code == 401
    # The page goes on, with the token that it was given.
    person.go("/settings/voices")
    person.reads("Voices are not recognised")
    again = system.login("changing@example.org", second)
    person.go("/settings")
    person.manages(lambda: person.press("Sign out everywhere"))
    person.page.evaluate("() => document.querySelector('dialog[open] .danger').click()")
    person.until(lambda: person.page.evaluate("() => !!document.querySelector('.sign-in-form')"))
    assert again.get("/api/voices").status_code == 401
