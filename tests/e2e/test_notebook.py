"""The notebook of the Python client, run by a real kernel on a real system."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import nbformat
import pytest
from nbclient import NotebookClient

from tests.e2e.conftest import READY_TIMEOUT_S, System
from tests.recordings import ROOT, sample_pcm, wav

NOTEBOOK = ROOT / "clients" / "python" / "examples" / "meetings.ipynb"


def read_notebook() -> nbformat.NotebookNode:
    return nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call, no-any-return]


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = read_notebook()
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_the_notebook_plots_a_meeting_and_a_month(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = system.login()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    speech = wav(sample_pcm()[: 40 * 16_000], mark="of the notebook")
    file_hash = rest.analysed(speech, name="Of the notebook", date=yesterday)
    for name, value in {
        "MEETRA_URL": system.gateway,
        "MEETRA_EMAIL": system.email,
        "MEETRA_PASSWORD": system.password,
        "MEETING": file_hash,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "clients/python"), str(ROOT / "gen")]),
    }.items():
        monkeypatch.setenv(name, value)
    notebook = read_notebook()
    NotebookClient(notebook, timeout=READY_TIMEOUT_S, kernel_name="python3").execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output for output in shown if "image/png" in output.get("data", {})]
    assert len(pictures) == 5
    tables = [output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert len(tables) == 2
    assert "Of the notebook" in tables[0]
    assert "quality_score" in tables[1]
    assert not [output for output in shown if output.output_type == "error"]
