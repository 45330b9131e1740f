"""How pages look, and whether everybody can use them: pictures for people, axe-core's judgement for the test.

Pictures go to `build/screenshots/`, which git ignores.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page

_ROOT = Path(__file__).parents[2]
PICTURES = _ROOT / "build" / "screenshots"
_AXE = _ROOT / "tests" / "interop" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_GRAVE = ("serious", "critical")
_RUN = """() => axe.run(document, {
  resultTypes: ["violations"],
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})"""


@dataclass(frozen=True)
class Look:
    """One way to look at a page: `width` and `height` in CSS pixels, `scheme` light or dark."""

    width: int
    height: int
    scheme: str

    @property
    def name(self) -> str:
        size = "phone" if self.width < 600 else "desktop"
        return f"{size}-{self.scheme}"


LOOKS = tuple(
    Look(width, height, scheme) for width, height in ((1440, 900), (390, 844)) for scheme in ("light", "dark")
)


async def wear(page: Page, look: Look) -> None:
    """Show the page this way; nothing moves from here on."""
    await page.set_viewport_size({"width": look.width, "height": look.height})
    await page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")  # type: ignore[arg-type]


async def picture(page: Page, name: str) -> Path:
    """Take a picture of what is to be seen, as `build/screenshots/NAME.png`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    await page.screenshot(path=path, animations="disabled", caret="hide")
    return path


async def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical, as text: rule, what it is about, and where."""
    if not await page.evaluate("() => 'axe' in globalThis"):
        await page.evaluate(_AXE.read_text())
    found: dict[str, Any] = await page.evaluate(_RUN)
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n    "
        + "\n    ".join(node["html"] + " — " + node["failureSummary"] for node in violation["nodes"][:5])
        for violation in found["violations"]
        if violation["impact"] in _GRAVE
    ]


async def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the window: it must not be."""
    return int(await page.evaluate("() => document.documentElement.scrollWidth - innerWidth"))


async def look_over(page: Page, name: str, looks: tuple[Look, ...] = LOOKS) -> None:
    """Look at the page in every way: take pictures, and fail for what shuts people out."""
    complaints: list[str] = []
    for look in looks:
        await wear(page, look)
        await picture(page, f"{name}-{look.name}")
        complaints += [f"{name} {look.name}: {fault}" for fault in await faults(page)]
        if (wide := await sideways(page)) > 0:
            complaints.append(f"{name} {look.name}: scrolls sideways by {wide} pixels")
    assert not complaints, "\n".join(complaints)
