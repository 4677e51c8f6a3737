"""What a call of a model costs, by size; models that are not installed are left out and named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.gpu_models import LEAST_CALLS, cost_of, measure_models
from benchmarks.gpu_report import Report
from benchmarks.model_cases import FAMILIES, Case, Wanted
from inference.models import ModelMissing

WANTED = Wanted("cpu", "float32", small=True)


def test_a_calls_cost_is_its_median_and_speed_counts_the_audio_of_all_rows() -> None:
    called: list[int] = []
    case = Case("model", "rows", 2.0, (1, 4), lambda rows: lambda: called.append(rows))
    cost = cost_of(case, 4, 0.0)
    assert called == [4] * (LEAST_CALLS + 1), "the first one is not counted"
    assert cost.row_s == pytest.approx(cost.call_s / 4)
    assert cost.speed == pytest.approx(4 * 2.0 / cost.call_s)


def test_a_model_that_is_missing_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Wanted) -> Iterator[Case]:
        raise ModelMissing("NeMo is not installed")

    def there(_: Wanted) -> Iterator[Case]:
        yield Case("model", "rows", 1.0, (1, 2), lambda rows: lambda: None)

    monkeypatch.setitem(FAMILIES, "titanet", missing)
    monkeypatch.setitem(FAMILIES, "onnx", there)
    report = Report(None)
    measure_models(WANTED, report, families=("titanet", "onnx"), seconds=0.0)
    assert [(row["model"], row["rows"]) for row in report.found["models"]] == [("model", 1), ("model", 2)]
    assert report.found["left_out"] == [{"models": "titanet", "reason": "NeMo is not installed"}]
    measure_models(WANTED, report, families=("onnx",), seconds=0.0, may_go_on=lambda: False)
    assert report.found["left_out"][-1] == {"models": "onnx", "reason": "time is up"}
