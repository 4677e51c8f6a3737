"""Somebody who uses the page in a real Chromium, by what is visible: names, roles, texts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.browser.chromium import Page

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
CONFIRM = "() => document.querySelector('dialog[open] .danger').click()"
FOREIGN = """() => performance.getEntriesByType("resource").map(({ name }) => new URL(name))
  .filter(({ origin }) => origin !== location.origin).map(({ href }) => href)"""


class Person:
    """Somebody at the page."""

    def __init__(self, page: Page, gateway: str) -> None:
        self.page, self.gateway = page, gateway

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

    def confirm(self) -> None:
        """Say yes to what cannot be undone, once that is asked."""
        self.manages(lambda: self.page.evaluate(CONFIRM))

    def check(self) -> None:
        """What holds of every page: nobody is shut out, and nobody else is asked."""
        assert self.page.violations() == []
        assert self.page.evaluate(FOREIGN) == []
