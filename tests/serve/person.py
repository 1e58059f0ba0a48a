"""A person at the page, by clicks and keys: looks for words and buttons, waits until something shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select


class Person:
    """A person at the page: looks for words and buttons, waits until something shows."""

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver = driver
        self.address = address

    def open(self, target: str) -> None:
        self.driver.get(f"{self.address}{target}")

    def __getitem__(self, name: str) -> Any:
        return self.driver.find_element(By.ID, name)

    def text(self, name: str) -> str:
        return str(self[name].text)

    def follow(self, link: str, target: str = "") -> None:
        """Press a link, on another page where one is named."""
        if target:
            self.open(target)
        self.driver.find_element(By.PARTIAL_LINK_TEXT, link).click()

    def choose(self, name: str, word: str) -> None:
        Select(self[name]).select_by_visible_text(word)

    def click(self, name: str) -> None:
        element = self[name]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def until(self, done: Callable[[], object], what: str, within: float = 30.0) -> None:
        deadline = time.monotonic() + within
        while not done():
            assert time.monotonic() < deadline, f"{what}: {self.text('main')[:600]}"
            time.sleep(0.1)

    def start(self, sample: str) -> None:
        self.until(self["begin"].is_displayed, "the form shows")
        self["sample-id"].clear()
        self["sample-id"].send_keys(sample)
        self.click("begin-go")
