"""What blocking objects are made of: methods of the asynchronous ones, run on a thread, and a channel for stubs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import grpc
from grpc import aio

from meetra_client.loop_thread import LoopThread

W_co = TypeVar("W_co", covariant=True)
P = ParamSpec("P")
T = TypeVar("T")


class Blocking(Generic[W_co]):
    """The blocking form of an asynchronous object.

    Args:
        wrapped: the asynchronous object.
        thread: runs its methods.
    """

    def __init__(self, wrapped: W_co, thread: LoopThread) -> None:
        self._wrapped, self._thread = wrapped, thread


def blocking(
    method: Callable[Concatenate[W_co, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Blocking[W_co], P], T]:
    """Return the blocking form of a coroutine method, with its arguments and docstring."""

    @wraps(method)
    def call(self: Blocking[W_co], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._thread.run(method(self._wrapped, *args, **kwargs))

    return call


def iterating(
    method: Callable[Concatenate[W_co, P], AsyncIterator[T]],
) -> Callable[Concatenate[Blocking[W_co], P], Generator[T, None, None]]:
    """Return the blocking form of a method that yields, with its arguments and docstring."""

    @wraps(method)
    def call(self: Blocking[W_co], /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return self._thread.iterate(lambda: method(self._wrapped, *args, **kwargs))

    return call


class BlockingChannel(grpc.Channel):
    """A channel for the stubs of blocking callers; its calls block, and streams are iterators.

    Args:
        channel: makes the calls.
        thread: runs them.
    """

    def __init__(self, channel: aio.Channel, thread: LoopThread) -> None:
        self._channel, self._thread = channel, thread

    def unary_unary(self, *method: Any, **options: Any) -> Any:
        """See grpc.Channel."""
        start = self._channel.unary_unary(*method, **options)
        return lambda request, **others: self._thread.run(start(request, **others))  # type: ignore[arg-type]

    def stream_unary(self, *method: Any, **options: Any) -> Any:
        """See grpc.Channel."""
        start = self._channel.stream_unary(*method, **options)
        return lambda requests, **others: self._thread.run(start(_read(requests), **others))  # type: ignore[arg-type]

    def unary_stream(self, *method: Any, **options: Any) -> Any:
        """See grpc.Channel."""
        start = self._channel.unary_stream(*method, **options)
        return lambda request, **others: self._thread.iterate(lambda: start(request, **others).__aiter__())

    def stream_stream(self, *method: Any, **options: Any) -> Any:
        """See grpc.Channel."""
        start = self._channel.stream_stream(*method, **options)
        return lambda requests, **others: self._thread.iterate(lambda: start(_read(requests), **others).__aiter__())

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """See grpc.Channel. Raises NotImplementedError: connections come back by themselves."""
        raise NotImplementedError

    def unsubscribe(self, callback: Any) -> None:
        """See grpc.Channel. Raises NotImplementedError."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection; a later call opens another."""
        self._thread.run(self._channel.close(None))

    def __enter__(self) -> BlockingChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _read(requests: Iterable[T]) -> AsyncIterator[T]:
    """Yield what a blocking iterable yields, without blocking the loop."""
    iterator, end = iter(requests), object()
    while (request := await asyncio.to_thread(next, iterator, end)) is not end:
        yield request  # type: ignore[misc]  # not the end: T
