"""The metrics of all processes of a system: one address, and a process that is gone costs only its own."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli import monitoring
from cli.monitoring import DEFAULT_LISTEN, MetricsSettings, MetricsUnavailable, SystemMetrics
from monitoring import MetricsServer, scrape


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[SystemMetrics]:
    made = SystemMetrics(MetricsSettings(metrics_listen="127.0.0.1:0"), tmp_path)
    yield made
    made.close()


def processes(address: str | None) -> dict[str, float]:
    """By process: what it says of itself."""
    assert address is not None
    host_port = address.removeprefix("http://").removesuffix("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(scrape(host_port))}
    assert [sample.labels["process"] for sample in families["python_info"].samples] == ["supervisor"]
    return {sample.labels["process"]: sample.value for sample in families["said"].samples} if "said" in families else {}


def test_all_that_answer_are_told_on_one_address(metrics: SystemMetrics) -> None:
    metrics.start()
    api = MetricsServer(metrics.listen_of("api"), lambda: b"# TYPE said gauge\nsaid 1\n")
    worker = MetricsServer(metrics.listen_of("worker"), lambda: b"# TYPE said gauge\nsaid 2\n")
    assert processes(metrics.address) == {"api": 1, "worker": 2}
    worker.close()
    assert processes(metrics.address) == {"api": 1}
    api.close()
    assert processes(metrics.address) == {}


def test_nowhere_is_nowhere_for_every_process(tmp_path: Path) -> None:
    metrics = SystemMetrics(MetricsSettings(metrics_listen=""), tmp_path)
    metrics.start()
    assert (metrics.address, metrics.listen_of("api"), metrics.socket("envoy")) == (None, "", None)
    metrics.close()


def test_an_address_of_the_settings_that_is_taken_is_an_error_and_the_usual_one_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = MetricsServer("127.0.0.1:0", bytes)
    try:
        wanted = SystemMetrics(MetricsSettings(metrics_listen=taken.address), tmp_path)
        with pytest.raises(MetricsUnavailable, match=f"{taken.address} .*in use.*MEETRA_METRICS_LISTEN"):
            wanted.start()
        wanted.close()
        monkeypatch.setattr(monitoring, "DEFAULT_LISTEN", taken.address)
        usual = SystemMetrics(MetricsSettings(metrics_listen=taken.address), tmp_path)
        usual.start()
        assert usual.address not in (None, f"http://{taken.address}/metrics")
        usual.close()
    finally:
        taken.close()


def test_a_data_folder_with_a_long_path_has_its_sockets_elsewhere_closed_to_others(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    metrics = SystemMetrics(MetricsSettings(metrics_listen=DEFAULT_LISTEN), deep)
    path = metrics.socket("inference")
    assert path is not None
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    MetricsServer(f"unix:{path}", bytes).close()
    metrics.close()
    assert not path.parent.exists()
