"""The metrics of a process of the server, as Prometheus gets them."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from monitoring import scrape
from server.config import ServerSettings
from server.served_metrics import served_metrics
from server.storage.pool import Database


async def test_disk_and_connections_are_told_while_the_process_runs(database: Database, tmp_path: Path) -> None:
    listen = f"unix:{tmp_path}/worker.sock"
    folder = tmp_path / "yet to come"
    settings = ServerSettings(
        database_url=SecretStr("unused"), audio_dir=folder, metrics_listen=listen, disk_reserve_bytes=7
    )
    with served_metrics(settings, database):
        families = {family.name: family for family in text_string_to_metric_families(scrape(listen))}
    told = {name: {tuple(s.labels.values()): s.value for s in families[name].samples} for name in families}
    assert told["meetra_disk_free_bytes"][()] > 0
    assert told["meetra_disk_reserve_bytes"] == {(): 7}
    assert told["meetra_database_connections_limit"] == {(): 16}
    assert sum(told["meetra_database_connections"].values()) == 1
    assert not (tmp_path / "worker.sock").exists()


def test_without_an_address_nothing_is_served(tmp_path: Path) -> None:
    settings = ServerSettings(database_url=SecretStr("unused"), audio_dir=tmp_path, metrics_listen="")
    with served_metrics(settings, None):  # type: ignore[arg-type]  # nobody asks for its connections
        assert list(tmp_path.iterdir()) == []
