"""The examples of the client's README compile and run."""

from __future__ import annotations

import pytest

from tests.clients.typescript.examples import ADDRESS, EXAMPLES, example
from tests.clients.typescript.package import Workbench
from tests.e2e.conftest import System
from tests.recordings import excerpt, sample_pcm

SECONDS = 12


@pytest.fixture(scope="module")
def key(system: System) -> str:
    """An API key."""
    secret: str = system.login().http.post("/api/keys", json={"name": "README", "scopes": ["admin"]}).json()["secret"]
    return secret


def test_all_examples_compile(workbench: Workbench) -> None:
    names = [f"example_{number}.ts" for number in range(len(EXAMPLES))]
    assert len(names) == 5
    for name, text in zip(names, EXAMPLES, strict=True):
        workbench.add(name, text)
    workbench.compile(*names)


def test_a_recording_is_uploaded_as_the_readme_says(workbench: Workbench, system: System, key: str) -> None:
    (workbench.folder / "meeting.flac").write_bytes(excerpt(SECONDS, mark="README"))
    workbench.add("readme_upload.ts", example("openAsBlob").replace(ADDRESS, system.gateway))
    workbench.compile("readme_upload.ts")
    lines = workbench.run("out/readme_upload.js", MEETRA_API_KEY=key).splitlines()
    assert lines
    assert all(line.startswith("00:00:") for line in lines)


def test_a_live_meeting_is_held_as_the_readme_says(workbench: Workbench, system: System, key: str) -> None:
    (workbench.folder / "meeting.s16le").write_bytes(sample_pcm()[: SECONDS * 16_000].astype("<i2").tobytes())
    workbench.add("readme_live.ts", example("createReadStream").replace(ADDRESS, system.gateway))
    workbench.compile("readme_live.ts")
    lines = workbench.run("out/readme_live.js", MEETRA_API_KEY=key).splitlines()
    assert lines[-1].startswith("ready ")
    assert len(lines) > 1


def test_functions_of_the_readme_do_what_it_says(workbench: Workbench, system: System, key: str) -> None:
    rest = system.login()
    file_hash = rest.analysed(excerpt(SECONDS, mark="functions"))
    workbench.add("speakers.ts", example("callFirstSpeaker"))
    workbench.add("topics.ts", example("topicsSoFar"))
    workbench.add(
        "functions.ts",
        f"""
import {{ Meetra }} from "meetra-client";
import {{ callFirstSpeaker }} from "./speakers.js";
import {{ topicsSoFar }} from "./topics.js";
const meetra = new Meetra("{system.gateway}", {{ token: async () => "{key}" }});
await callFirstSpeaker(meetra, "{file_hash}", "Ada");
const refused = await topicsSoFar(meetra, "{"0" * 64}").catch((error) => error.reason);
console.log(JSON.stringify({{ topics: await topicsSoFar(meetra, "{file_hash}"), refused }}));
""",
    )
    workbench.compile("functions.ts")
    told = workbench.told("out/functions.js")
    assert told["refused"] == "MEETING_NOT_FOUND"
    assert told["topics"] == rest.get("/single-feature-api/meeting/topics", file_hash=file_hash).json()["topics"]
    assert rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"][0]["alias"] == "Ada"
