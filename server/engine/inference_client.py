"""The client of the inference servers: opens each session on the one with the least load."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from meetra.inference.v2 import language_pb2, model_pb2, session_pb2

from privacy import MutualTls
from server.engine.directory import ask_directory
from server.engine.load_watch import LoadWatch
from server.engine.model_labels import model_label, task_model_label
from server.engine.replica import (
    BYTES_PER_SAMPLE,
    SENTENCES_TIMEOUT_S,
    EngineBusy,
    Flush,
    Overload,
    Replica,
    SessionBroke,
)
from server.inference_addresses import Address, Target, look_up, parse_addresses

CHUNK_SAMPLES = 16_000
# How often names are looked up again, seconds.
LOOK_UP_EVERY_S = 30.0
# How often directories are asked again, seconds.
ASK_DIRECTORY_EVERY_S = 3.0
# How often replicas with calls, and those left out, are looked at, seconds.
LOOK_EVERY_S = 2.0
# How long a replica may take to tell its load before a session is opened, seconds: else the last known counts.
LOAD_TIMEOUT_S = 1.0
# A load that was told so long ago, seconds, is asked for again.
LOAD_KNOWN_S = 1.0
DEFAULT_STALL_S = 60.0
Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class SentenceVector(NamedTuple):
    """What a text means."""

    model: str
    """Label of the model: vectors of different models cannot be compared."""
    vector: tuple[float, ...]
    """Of unit length."""


class InferenceClient:
    """Open sessions on the inference servers.

    Of several, each session goes to the one with the least load. One that has no room is passed over; one that is not
    reached, or makes no progress, is left out until it answers and goes on, and its sessions break.
    """

    def __init__(self, addresses: str, tls: MutualTls | None = None, stall_s: float = DEFAULT_STALL_S) -> None:
        """
        Args:
            addresses: ``host:port``, several separated by commas; a name with several addresses is several servers, and
                ``directory://host:port`` those that the directory there tells.
            tls: None for plain text.
            stall_s: time without progress after which one of several servers is left out, seconds.

        Raises ValueError for what is no address.
        """
        self._addresses = parse_addresses(addresses)
        self._tls, self._stall_s = tls, stall_s
        # Names are looked up later, until then each stands for one server; directories are asked later.
        self._found = {address: [] if address.directory else [Target(address.target)] for address in self._addresses}
        self._replicas: dict[str, Replica] = {}
        self._retired: set[Replica] = set()
        self._others_found = asyncio.Event()
        self._background: list[asyncio.Task[None]] = []
        self._use_found()
        self._loads_known_at = float("-inf")
        self._load_watch = LoadWatch(self._in_use)
        self._models: tuple[str, ...] = ()
        self.capabilities: session_pb2.Capabilities | None = None
        """The latest reported capabilities; None before the first report."""

    async def wait_until_reachable(self) -> None:
        """Wait until an inference server answers, and update ``capabilities``."""
        self._start()
        while True:
            # One that is replaced meanwhile never answers.
            others = asyncio.create_task(self._others_found.wait())
            # Those that are left out too: they may be the first to answer again.
            asked = [asyncio.create_task(replica.wait_until_reachable()) for replica in self._replicas.values()]
            try:
                await asyncio.wait({others, *asked}, return_when=asyncio.FIRST_COMPLETED)
                if answers := [task.result() for task in asked if task.done()]:
                    return self._know(answers[0])
            finally:
                await _cancel(others, *asked)

    async def wait_for_capabilities(self, within_s: float) -> None:
        """Wait up to ``within_s`` seconds for ``capabilities``, if they are still unknown."""
        if self.capabilities is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self.wait_until_reachable()

    async def ask_capabilities(self, within_s: float) -> session_pb2.Capabilities | None:
        """Return the capabilities as they are now, and update ``capabilities``.

        None where no server answers within ``within_s`` seconds.
        """
        answer = await self._ask_capabilities(within_s)
        return None if answer is None else answer.capabilities

    async def knows_language(self, language: str, within_s: float) -> bool:
        """Return whether the recogniser knows a language, BCP 47, or one close to it.

        True as well where no server answers within ``within_s`` seconds: its sessions will tell. Updates
        ``capabilities``.
        """
        answer = await self._ask_capabilities(within_s, language)
        return answer is None or not answer.language_unknown

    async def live_overload(self, organization: str) -> Overload | None:
        """Return why an organization should open no further live meeting now; None where nothing is known against it.

        Of several servers each has to say so.
        """
        # Without an engine audio is accepted all the same.
        return None if self.capabilities is None else await self._load_watch.overload(organization)

    async def run(
        self, config: session_pb2.SessionConfig, pcm: AsyncIterator[bytes] | AsyncIterator[bytes | Flush]
    ) -> AsyncGenerator[session_pb2.RunSessionResponse, None]:
        """Stream audio through a session and yield its responses to the end. Close this before ``pcm``.

        Args:
            pcm: s16le mono at 16 kHz, in chunks of whole samples; ``FLUSH`` between them.

        Raises SessionBroke (EngineBusy), SessionRefused, or whatever ``pcm`` raises.
        """
        self._start()
        refusal: EngineBusy | None = None
        for replica in await self._by_load(config):
            opened = False
            try:
                async with aclosing(replica.run(config, pcm)) as responses:
                    async for response in responses:
                        opened = True
                        yield response
                return
            except EngineBusy as busy:
                if opened:
                    raise
                # Nothing was read of the audio: another one may have room.
                refusal = busy
        raise refusal or EngineBusy("no inference server")

    async def analyse_sentences(self, sentences: Sequence[str]) -> Sequence[language_pb2.SentenceAnalysis]:
        """Return the embedding, polarity and emotions of each sentence. Raises SessionBroke."""
        return (await self._analyse(sentences, SENTENCES_TIMEOUT_S)).analyses

    async def sentence_vector(self, text: str, within_s: float) -> SentenceVector:
        """Return the vector of a text, to be compared with those of sentences. Raises SessionBroke."""
        answer = await self._analyse([text], within_s)
        model = task_model_label(answer.models, model_pb2.TASK_SENTENCE_EMBEDDING)
        return SentenceVector(model, tuple(answer.analyses[0].embedding))

    async def close(self) -> None:
        """Close all connections."""
        await _cancel(*self._background)
        await self._load_watch.close()
        await asyncio.gather(*(replica.close() for replica in (*self._replicas.values(), *self._retired)))

    def _replica(self, target: Target) -> Replica:
        return Replica(target, self._tls, self._stall_s)

    def _in_use(self) -> list[Replica]:
        """Return the replicas that are not left out; all where every one is."""
        replicas = list(self._replicas.values())
        return [replica for replica in replicas if not replica.away] or replicas

    async def _by_load(self, config: session_pb2.SessionConfig) -> list[Replica]:
        """Return the replicas for a new session, the one with the least load first, those last that are overloaded."""
        replicas = self._in_use()
        if len(replicas) > 1:
            if time.monotonic() - self._loads_known_at > LOAD_KNOWN_S:
                self._loads_known_at = time.monotonic()
                await asyncio.gather(*(replica.ask_load(LOAD_TIMEOUT_S) for replica in replicas))
                replicas = self._in_use()
            # Processes that know the same of equals choose differently.
            random.shuffle(replicas)
            late = [r for r in replicas if config.live and r.overload(config.organization) is not None]
            replicas.sort(key=lambda replica: (replica.silent, replica in late, replica.load))
        return replicas

    async def _analyse(self, sentences: Sequence[str], within_s: float) -> language_pb2.AnalyseSentencesResponse:
        self._start()
        failure: SessionBroke | None = None
        for replica in sorted(self._in_use(), key=lambda replica: replica.calls):
            try:
                return await replica.analyse_sentences(sentences, within_s)
            except SessionBroke as error:
                if not replica.away:
                    raise
                # It was not reached: another one may be.
                failure = error
        raise failure or SessionBroke("no inference server")

    async def _ask_capabilities(
        self, within_s: float, language: str = ""
    ) -> session_pb2.GetCapabilitiesResponse | None:
        self._start()
        asked = [_required(replica.ask_capabilities(within_s, language)) for replica in self._in_use()]
        try:
            answer = await _first(asked)
        except LookupError:
            return None
        self._know(answer.capabilities)
        return answer

    def _know(self, capabilities: session_pb2.Capabilities) -> None:
        self.capabilities = capabilities
        models = tuple(map(model_label, capabilities.models))
        if self._models and models != self._models and len(self._replicas) > 1:
            log.warning("inference servers have different models, or changed them: %s; %s", self._models, models)
        self._models = models

    # Which servers there are, and how they are

    def _start(self) -> None:
        """Begin to look up names and to look after several replicas."""
        if self._background:
            return
        for address in self._addresses:
            if address.host or address.directory:
                self._background.append(asyncio.create_task(self._look_up(address), name="look up inference servers"))
        if self._background or len(self._replicas) > 1:
            self._background.append(asyncio.create_task(self._look_after(), name="look after inference servers"))

    async def _look_up(self, address: Address) -> None:
        answered = True
        while True:
            try:
                self._found[address] = await (
                    ask_directory(address, self._tls) if address.directory else look_up(address)
                )
                answered = True
                self._use_found()
            except OSError as error:
                if answered:
                    log.warning("inference servers of %s: nothing new is known: %s", address.target, error)
                answered = False
            await asyncio.sleep(ASK_DIRECTORY_EVERY_S if address.directory else LOOK_UP_EVERY_S)

    def _use_found(self) -> None:
        """Use the servers that were found; sessions on others go on to their end."""
        targets = {target.target: target for found in self._found.values() for target in found}
        known = self._replicas
        if targets.keys() == known.keys():
            return
        if self._background:
            log.info("inference servers: %s", ", ".join(sorted(targets)) or "none")
        self._others_found.set()
        self._others_found = asyncio.Event()
        # One that comes back has its sessions still.
        known = known | {replica.target.target: replica for replica in self._retired}
        self._replicas = {key: known.get(key) or self._replica(target) for key, target in targets.items()}
        self._retired = {replica for key, replica in known.items() if key not in targets}

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            looked_at = [replica for replica in self._retired if replica.calls] if self._replicas else []
            if len(self._replicas) > 1:
                looked_at += [replica for replica in self._replicas.values() if replica.away or replica.calls]
            await asyncio.gather(*(replica.look() for replica in looked_at))
            idle = {replica for replica in self._retired if not replica.calls}
            self._retired -= idle
            for replica in idle:
                await replica.close()


async def read_pcm(path: Path) -> AsyncIterator[bytes]:
    """Yield the audio of a decoded recording in chunks of one second, s16le mono at 16 kHz."""
    with path.open("rb") as file:
        while data := await asyncio.to_thread(file.read, CHUNK_SAMPLES * BYTES_PER_SAMPLE):
            yield data


async def _required(asked: Awaitable[Answer | None]) -> Answer:
    """Return an answer. Raises LookupError without one."""
    if (answer := await asked) is None:
        raise LookupError
    return answer


async def _first(asked: list[Coroutine[Any, Any, Answer]]) -> Answer:
    """Return the first answer; the other questions are cancelled. Raises what the last raises where all fail."""
    if len(asked) == 1:
        return await asked[0]
    tasks = [asyncio.create_task(question) for question in asked]
    try:
        for done in asyncio.as_completed(tasks):
            with suppress(LookupError):
                return await done
        raise LookupError
    finally:
        await _cancel(*tasks)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
