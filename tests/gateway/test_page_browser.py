"""The page in a real browser: a person types a query, presses Execute and reads the answer."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import strawberry
import uvicorn
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from starlette.applications import Starlette
from starlette.routing import Mount
from strawberry.asgi import GraphQL

from gateway.assets_command import ASSETS, installed
from gateway.page import page_routes

CHROMIUM = shutil.which("chromium")
CHROMEDRIVER = shutil.which("chromedriver")
WAIT = 30

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or CHROMEDRIVER is None,
        reason="chromium and chromedriver are not installed (apt-get install chromium chromium-driver)",
    ),
    pytest.mark.skipif(not installed(ASSETS), reason="GraphiQL's files are not installed (ss12000-gateway assets)"),
]


@strawberry.type(description="A query of the test")
class Query:
    @strawberry.field(description="Says hello to whoever is named")
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server with the page and a small schema, on a free port."""
    schema = strawberry.Schema(Query)
    app = Starlette(
        routes=[*page_routes('{ hello(name: "example") }'), Mount("/graphql", GraphQL(schema, graphql_ide=None))]
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1400,900",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(CHROMEDRIVER)))
    driver.set_page_load_timeout(WAIT)
    yield driver
    driver.quit()


def visible(browser: webdriver.Chrome, selector: str) -> WebElement:
    return WebDriverWait(browser, WAIT).until(
        lambda driver: next((e for e in driver.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()), None)
    )


def answer(browser: webdriver.Chrome, text: str) -> None:
    WebDriverWait(browser, WAIT).until(
        lambda driver: text in driver.find_element(By.CSS_SELECTOR, ".result-window").text
    )


def test_a_query_typed_into_the_editor_is_answered(browser: webdriver.Chrome, address: str) -> None:
    browser.get(address)
    visible(browser, ".graphiql-query-editor .CodeMirror").click()
    keys = ActionChains(browser).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(Keys.DELETE)
    # The editor closes braces and quotes by itself; what it adds stays in front of the cursor and is deleted.
    keys.send_keys('{ hello(name: "typed") }').key_down(Keys.CONTROL).key_down(Keys.SHIFT).send_keys(Keys.END)
    keys.key_up(Keys.SHIFT).key_up(Keys.CONTROL).send_keys(Keys.DELETE).perform()
    visible(browser, ".graphiql-execute-button").click()
    answer(browser, '"hello typed"')


def test_the_page_opens_with_the_example_and_the_documentation(browser: webdriver.Chrome, address: str) -> None:
    browser.get(address)
    assert browser.title == "SS 12000 gateway"
    assert 'hello(name: "example")' in visible(browser, ".graphiql-query-editor .CodeMirror").text
    WebDriverWait(browser, WAIT).until(lambda driver: "Query" in visible(driver, ".graphiql-doc-explorer").text)
    visible(browser, ".graphiql-execute-button").click()
    answer(browser, '"hello example"')


def test_the_page_breaks_none_of_its_own_security_policy(browser: webdriver.Chrome, address: str) -> None:
    browser.get(address)
    visible(browser, ".graphiql-doc-explorer")
    complaints = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert complaints == []


def test_a_query_survives_no_longer_than_its_tab(browser: webdriver.Chrome, address: str) -> None:
    browser.get(address)
    visible(browser, ".graphiql-execute-button").click()
    answer(browser, '"hello example"')
    assert browser.execute_script("return window.localStorage.length") == 0
