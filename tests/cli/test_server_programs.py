"""The programs that serve: names, ports and settings of several of a kind."""

from __future__ import annotations

from itertools import count

from cli.server_programs import api_program, database_connections, named_apis, numbered, worker_program
from gateway import ApiAddress


def test_the_first_has_the_name_that_one_alone_has() -> None:
    assert numbered("api", 1) == ["api"]
    assert numbered("worker", 3) == ["worker", "worker-2", "worker-3"]


def test_each_api_has_ports_and_metrics_of_its_own() -> None:
    ports = count(1)
    first, second = named_apis(2, lambda: next(ports))
    assert (first.name, first.address) == ("api", ApiAddress("127.0.0.1", 1, 2, 3))
    assert (second.name, second.address) == ("api-2", ApiAddress("127.0.0.1", 4, 5, 6))
    program = api_program(second, {"MEETRA_AUDIO_DIR": "/audio"}, "/keys", "unix:/run/{}.sock".format)
    assert program.name == "api-2"
    assert program.environment["MEETRA_API_LISTEN"] == "127.0.0.1:4"
    assert program.environment["MEETRA_API_SOCKET_LISTEN"] == "127.0.0.1:5"
    assert program.environment["MEETRA_API_HTTP_LISTEN"] == "127.0.0.1:6"
    assert program.environment["MEETRA_METRICS_LISTEN"] == "unix:/run/api-2.sock"
    assert program.environment["MEETRA_AUDIO_DIR"] == "/audio"


def test_a_worker_has_no_key_of_tokens() -> None:
    program = worker_program("worker-2", {"MEETRA_AUDIO_DIR": "/audio"}, "unix:/run/{}.sock".format, 5)
    assert (program.command[-1], program.niceness) == ("worker", 5)
    assert program.environment["MEETRA_METRICS_LISTEN"] == "unix:/run/worker-2.sock"
    assert "MEETRA_TOKEN_KEYS" not in program.environment


def test_the_database_has_room_for_all_of_them() -> None:
    assert database_connections(2) == 100
    assert database_connections(5) == 140
