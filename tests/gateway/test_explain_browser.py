"""Explain in a real browser: a person presses the button and sees which system was asked what."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from gateway.app import create_app
from sources.demo.server import DemoServers
from tests.harness import over

from .test_page_browser import WAIT, browser, pytestmark, visible

__all__ = ["browser", "pytestmark"]

QUERY = """{
  groups(filter: {groupType: [KLASS]}, orderBy: [DISPLAY_NAME_ASC], first: 2) {
    nodes { displayName groupMemberships { person { givenName grades { gradeValue } } } }
  }
}"""


@pytest.fixture(scope="module")
def gateway(demo: DemoServers) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(over(demo)), log_config=None, log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def write(browser: webdriver.Chrome, query: str) -> None:
    visible(browser, ".graphiql-query-editor .CodeMirror")
    browser.execute_script(
        "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue(arguments[0])", query
    )


def drawn(browser: webdriver.Chrome) -> list[str]:
    """The texts of the boxes, once they are there."""
    WebDriverWait(browser, WAIT).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "#plan svg .step"))
    return [box.get_attribute("textContent") or "" for box in browser.find_elements(By.CSS_SELECTOR, "#plan svg .step")]


def test_the_steps_of_the_query_in_the_editor_are_drawn(browser: webdriver.Chrome, gateway: str) -> None:
    browser.get(gateway)
    write(browser, QUERY)
    visible(browser, "#explain").click()
    groups, people, grades = drawn(browser)
    assert "A page of groups, filtered and sorted" in groups
    assert "after step 1" in people
    assert all(name in people for name in ("sis", "hr", "forskola", "schema", "narvaro", "lms"))
    assert "Grades that refer to these persons" in grades
    assert "that takes fewer calls" in grades
    lead = visible(browser, "#plan .lead").text
    assert "6 systems were asked" in lead
    assert len(browser.find_elements(By.CSS_SELECTOR, "#plan svg .lines path")) == 2
    rounds = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "#plan svg text.round")]
    assert rounds[:2] == ["Round 1", "Round 2"]
    boxes = browser.find_elements(By.CSS_SELECTOR, "#plan svg .step .box")
    tops = [box.rect["y"] for box in boxes]
    assert tops == sorted(tops)
    assert [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []

    visible(browser, "#plan-close").click()
    visible(browser, "#explain").click()
    WebDriverWait(browser, WAIT).until(lambda driver: "no system was called" in driver.find_element(By.ID, "plan").text)
    assert "from memory" in "".join(drawn(browser))


def test_what_is_wrong_with_the_query_is_said(browser: webdriver.Chrome, gateway: str) -> None:
    browser.get(gateway)
    write(browser, "{ persons { nodes { shoeSize } } }")
    visible(browser, "#explain").click()
    WebDriverWait(browser, WAIT).until(lambda driver: "shoeSize" in driver.find_element(By.ID, "plan").text)
    assert browser.find_elements(By.CSS_SELECTOR, "#plan svg") == []


def test_texts_of_a_box_do_not_run_into_each_other(browser: webdriver.Chrome, gateway: str) -> None:
    browser.get(gateway)
    write(browser, QUERY)
    visible(browser, "#explain").click()
    drawn(browser)
    overlaps = browser.execute_script("""
      const found = [];
      for (const step of document.querySelectorAll("#plan svg .step")) {
        const frame = step.querySelector(".box").getBoundingClientRect();
        const texts = [...step.querySelectorAll("text")].map((each) => [each, each.getBoundingClientRect()]);
        for (const [one, a] of texts) {
          if (a.left < frame.left || a.right > frame.right || a.bottom > frame.bottom) found.push(one.textContent);
          for (const [other, b] of texts) {
            const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 3 || b.bottom <= a.top + 3;
            if (one !== other && !apart) found.push(`${one.textContent} | ${other.textContent}`);
          }
        }
      }
      return found;
    """)
    assert overlaps == []
