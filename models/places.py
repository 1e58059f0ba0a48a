"""Where the repository keeps what ``models`` reads and writes."""

from __future__ import annotations

from pathlib import Path

MODELS = Path(__file__).resolve().parent
REPOSITORY = MODELS.parent
DOCS = REPOSITORY / "docs"
SHELF = MODELS / "shelf"
"""A folder for each shipped model."""
FOLDS = MODELS / "folds"
"""Nets of the cross-validation: each never saw the slides and blocks of its fold."""
