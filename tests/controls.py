"""Controls of a tab that are in a popover or behind a tab of the drawer, brought to sight."""

from playwright.sync_api import Frame, Locator, Page, expect

# Where the landmarks of the runs are known, and there are some.
KNOWN = "#tab-landmarks:not(:text-is('Landmarks 0'))"


def reveal(found: Locator) -> Locator:
    """Open the popover that a control is in, if it is in one that is closed."""
    found.first.wait_for(state="attached")
    sheet = found.first.evaluate("e => e.closest('[popover]:not(:popover-open)')?.id")
    if sheet:
        owner(found).locator(f"[popovertarget='{sheet}']").click()
    return found


def owner(found: Locator) -> Frame:
    """The frame that a locator is in."""
    handle = found.first.element_handle()
    assert handle is not None
    frame = handle.owner_frame()
    assert frame is not None
    return frame


def panel(page: Page | Frame, name: str) -> Locator:
    """Open a panel of the drawer, and give it."""
    tab = page.get_by_role("tab", name=name)
    if tab.get_attribute("aria-selected") != "true":
        tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    return page.get_by_role("tabpanel", name=name)
