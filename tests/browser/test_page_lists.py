"""The pages "Meetings" and "Settings" in a real Chromium: found, watched while analysed, deleted and kept; set up."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.chromium import Page
from tests.browser.person import Person
from tests.e2e.checkpoint import held
from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt


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
    person.page.reload()
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
    # Here the server has one organization; test_page_overtime.py adds another.
    person.fill("E-mail address of the new user", "added@example.org")
    person.fill("First password", "a long password")
    person.fill("Role of the new user", "reader")
    person.press("Add a user")
    person.reads("added@example.org is added and may sign in.")
    person.until(lambda: offered(person, "Delete added@example.org"))
    assert system.login("added@example.org", "a long password").get("/api/me").json()["role"] == "reader"
    person.fill("E-mail address of the new user", "added@example.org")
    person.fill("First password", "another password")
    person.press("Add a user")
    person.reads("has a user of this address already")
    person.check()
    person.manages(lambda: person.press(f"Disable {system.email}"))
    # The last owner stays.
    person.reads("owner")
    disabled = {user["email"]: user["disabled"] for user in rest.http.get("/api/users").json()["users"]}
    assert (disabled[system.email], disabled["added@example.org"]) == (False, False)
    person.go("/settings/voices")
    person.manages(lambda: person.press("Recognise voices"))
    person.reads("Voices are recognised.", "Stop and erase all voices")
    assert rest.http.get("/api/voices").json()["recognise"] is True
    person.check()
    person.press("Stop and erase all voices")
    person.confirm()
    person.reads("Voices are not recognised")
    person.go("/settings/models")
    person.reads("voice activity", "speech recognition", "MIT", "Allowed")
    person.check()


def test_nobody_is_offered_what_their_role_does_not_allow(
    signed_in: Callable[..., Page], system: System, rest: Rest
) -> None:
    file_hash = rest.analysed(excerpt(5, mark="page, reader"), name="Not yours to delete")
    reader, bot = (signed_in_as(signed_in, system, role) for role in ("reader", "bot"))
    reader.go("/")
    reader.reads("You are signed in as a reader and may not upload recordings.", "Not yours to delete")
    assert offered(reader, "Delete Not yours to delete", "Choose files") == []
    reader.check()
    reader.go(f"/meetings/{file_hash}")
    reader.reads("may not correct or delete meetings", "Nothing was corrected.")
    assert offered(reader, "Rename", "Merge", "Undo the latest correction") == []
    assert reader.page.evaluate("() => document.querySelector('.sentence-correct')") is None
    reader.go("/live")
    reader.reads("may not hold live meetings")
    reader.go("/settings/privacy")
    reader.reads("may not change the settings of the organization")
    assert offered(reader, "Save", "Users", "Webhooks", "Usage") == []
    reader.check()
    reader.go("/settings/users")
    reader.reads("may not change the settings of the organization")
    reader.go("/settings/keys")
    reader.until(lambda: reader.page.evaluate("() => !!document.querySelector('input[value=upload]:disabled')"))
    reader.go("/settings/account")
    reader.reads("You are signed in as reader@example.org, a reader of Demo.")
    bot.go("/")
    bot.reads("You are signed in as a bot and may not read meetings.", "Drop recordings here")
    assert offered(bot, "Search", "Over time") == []
    bot.check()
    bot.go("/search")
    bot.reads("may not read meetings")


def offered(person: Person, *names: str) -> list[str]:
    """Which of the buttons and links of these names the page has."""
    shown = person.page.evaluate(
        "() => [...document.querySelectorAll('button, a')].map((e) => e.getAttribute('aria-label') ?? e.innerText)"
    )
    return [name for name in names if name in shown]


def signed_in_as(signed_in: Callable[..., Page], system: System, role: str) -> Person:
    """A new user of a role, at the page."""
    email = f"{role}@example.org"
    added = system.meetra("users", "add", email, "--role", role).stdout
    rest = system.login(email, added.split("password ")[1].split()[0])
    return Person(signed_in(rest=rest), system.gateway)


def test_a_password_is_changed_and_somebody_signs_out_everywhere(
    signed_in: Callable[..., Page], system: System
) -> None:
    added = system.meetra("users", "add", "changing@example.org", "--role", "member").stdout
    first, second = added.split("password ")[1].split()[0], "another password, longer"
    elsewhere = system.login("changing@example.org", first)
    person = Person(signed_in(rest=system.login("changing@example.org", first)), system.gateway)
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
    person.confirm()
    person.until(lambda: person.page.evaluate("() => !!document.querySelector('.sign-in-form')"))
    assert again.get("/api/voices").status_code == 401
