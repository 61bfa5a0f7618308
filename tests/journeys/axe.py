"""axe-core on pages as they are: what it finds in light and dark, on a phone and on a wide screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.journeys.server import ROOT

SOURCE = ROOT / "tools" / "javascript" / "node_modules" / "axe-core" / "axe.min.js"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async ({ tags, rules }) => {
  // What changes colour with the theme has done so: two frames, and the ends of what is on the way.
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const isEnding = (animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime);
  await Promise.allSettled(document.getAnimations().filter(isEnding).map((animation) => animation.finished));
  const { violations } = await axe.run(document, {
    runOnly: rules ? { type: "rule", values: rules } : { type: "tag", values: tags }, resultTypes: ["violations"], iframes: false });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => [id, node.target.join(" "), node.html.slice(0, 200),
    (node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""]));
}"""

# Colours on their way from one theme to the other are no finding.
_NO_TRANSITIONS = """
  const still = new CSSStyleSheet();
  still.replaceSync("*, ::before, ::after { transition: none !important }");
  document.adoptedStyleSheets.push(still);
"""


@dataclass
class Audit:
    """What was found so far; each state of a page is looked at as it is now."""

    found: list[str] = field(default_factory=list)

    def look(self, page: Page, state: str, *, widths: tuple[dict[str, int], ...] = (WIDE, PHONE)) -> None:
        """Check a state at these widths: every rule in light; the colours of the dark theme on a wide screen."""
        for size in widths:
            if page.viewport_size != size:
                page.set_viewport_size({"width": size["width"], "height": size["height"]})
            self._note(page, f"{state} {size['width']} light", {"tags": TAGS})
            if size == WIDE:
                page.evaluate("document.documentElement.classList.add('dark')")
                self._note(page, f"{state} {size['width']} dark", {"rules": ["color-contrast", "link-in-text-block"]})
                page.evaluate("document.documentElement.classList.remove('dark')")
        page.set_viewport_size({"width": WIDE["width"], "height": WIDE["height"]})

    def _note(self, page: Page, state: str, options: dict[str, Any]) -> None:
        lines: list[list[str]] = page.evaluate(_RUN, {"tags": None, "rules": None} | options)
        self.found += [f"{state}: {rule}: {target}: {message} {html}" for rule, target, html, message in lines]


def with_axe(context: BrowserContext) -> BrowserContext:
    """Have axe on every page of this profile: the browser puts it there, so no policy of a page forbids it."""
    assert SOURCE.exists(), "axe-core is not installed: make tools/javascript/node_modules/installed"
    context.add_init_script(path=SOURCE)
    context.add_init_script(_NO_TRANSITIONS)
    return context
