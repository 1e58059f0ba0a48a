"""What a test counts goes into a book of its own, never into the user's."""

from __future__ import annotations

from itertools import count

import pytest

_NUMBER = count()


@pytest.fixture(autouse=True)
def _own_book(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / f"data-{next(_NUMBER)}"))
