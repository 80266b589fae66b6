"""The page for everybody: by keys, by ear, on any screen, in five other languages."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from app.language import load_translations

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(chromium, server, tmp_path, astronaut):
    """Open the page as somebody: a width, a colour scheme, a language."""
    contexts = []

    def opened(width=1440, scheme="light", locale="en-GB"):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale=locale
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(server)
        page.wait_for_selector("#source input[type=file]", state="attached", timeout=60_000)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def selfie(tmp_path, astronaut):
    astronaut.save(tmp_path / "selfie.png")
    return str(tmp_path / "selfie.png")


def try_on(page, selfie):
    """Wear the first look."""
    page.set_input_files("#source input[type=file]", selfie)
    page.locator("#looks button").first.click()
    page.wait_for_function("/ΔE/.test(document.querySelector('#report').innerText)", timeout=90_000)


@pytest.mark.parametrize(
    ("scheme", "rules"),
    [("light", {"resultTypes": ["violations"]}), ("dark", {"runOnly": ["color-contrast"]})],
)
def test_a_screen_reader_meets_no_serious_obstacle(visit, selfie, scheme, rules):
    """By axe; in the dark only what differs there, the contrast of colours."""
    page = visit(scheme=scheme)
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    try_on(page, selfie)
    page.locator("#licences button").first.click()
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(400)
        found = Axe().run(page, options=rules).response["violations"]
        serious = {
            f"{tab.inner_text()}: {one['id']}": [node["html"][:200] for node in one["nodes"]]
            for one in found
            if one["impact"] in ("serious", "critical")
        }
        assert serious == {}


def divider_at(page) -> float:
    """Where the divider stands: the share of the picture that shows what was before."""
    return page.evaluate(
        """() => {
          const box = document.querySelector('#result .slider-wrap').getBoundingClientRect();
          const line = document.querySelector('#result .inner').getBoundingClientRect();
          return (line.x + line.width / 2 - box.x) / box.width;
        }"""
    )


def test_keys_alone_reach_every_control_and_move_the_divider(visit, selfie):
    page = visit()
    try_on(page, selfie)
    wanted = page.evaluate(
        """() => {
          const able = 'button, input, select, textarea, a[href], [role=slider], [role=tab]';
          const seen = [...document.querySelectorAll(able)].filter(e => e.offsetParent &&
            !e.disabled && e.tabIndex >= 0 && e.type !== 'file' && e.role !== 'tab');
          seen.forEach((element, number) => { element.dataset.wanted = number; });
          return seen.map(e => (e.ariaLabel || e.innerText || e.id || e.className).slice(0, 40));
        }"""
    )
    assert len(wanted) > 30
    reached, unseen = set(), []
    page.locator("body").press("Tab")
    for _ in range(2 * len(wanted)):
        focus = page.evaluate(
            """() => {
              const at = document.activeElement, look = getComputedStyle(at);
              return [at.dataset.wanted, look.outlineStyle != 'none' && look.outlineWidth != '0px',
                at.outerHTML.slice(0, 120)];
            }"""
        )
        if focus[0] in reached:
            break
        if focus[0] is not None:
            reached.add(focus[0])
            if not focus[1]:
                unseen.append(focus[2])
        page.keyboard.press("Tab")
    missed = [name for number, name in enumerate(wanted) if str(number) not in reached]
    assert missed == []
    assert unseen == []

    before = divider_at(page)
    page.locator("#result-divider input[type=range]").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert divider_at(page) < before - 0.1


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_no_screen_needs_sideways_scrolling(visit, width):
    page = visit(width=width, locale="de-DE")
    page.locator("#licences button").first.click()
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, tab.inner_text()


def test_a_german_reads_german(visit, selfie, tmp_path):
    page = visit(locale="de-AT")
    assert page.locator("html").get_attribute("lang").startswith("de")
    page.get_by_text("Klassisches Rot").first.wait_for()
    try_on(page, selfie)
    assert "Pixel außerhalb des Gesichts" in page.locator("#report").inner_text()
    (tmp_path / "notes.jpg").write_text("not a picture")
    german = load_translations("de")
    english = [one for one, said in german.items() if one != said and len(one) > 3]
    page.locator("#licences button").first.click()
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(400)
        shown = page.evaluate(
            """() => [...document.querySelectorAll('body *')].filter(e => e.offsetParent)
              .flatMap(e => [e.ariaLabel, ...[...e.childNodes].filter(n => n.nodeType == 3)
                .map(n => n.textContent)]).filter(Boolean).map(t => t.trim())"""
        )
        assert sorted(set(shown) & set(english)) == []
        assert not any("__i18n__" in said for said in shown)
    page.get_by_role("tab").first.click()
    page.locator("#source button[aria-label]").first.click()
    page.set_input_files("#source input[type=file]", str(tmp_path / "notes.jpg"))
    page.wait_for_function(
        "/nicht als Bild|kein Bild/.test(document.querySelector('#advice')?.innerText ?? '')",
        timeout=60_000,
    )


@pytest.mark.parametrize(
    ("locale", "tab", "look"),
    [
        ("fr-FR", "Maquillage", "Rouge classique"),
        ("es-MX", "Maquillaje", "Rojo clásico"),
        ("ja", "メイク", "クラシックレッド"),
        ("zh-CN", "妆容", "经典红"),
        ("nl-NL", "Makeup", "Classic red"),
    ],
)
def test_other_visitors_read_their_own_language_or_english(visit, locale, tab, look):
    page = visit(locale=locale)
    page.get_by_role("tab", name=tab).first.wait_for()
    page.get_by_text(look).first.wait_for()
