"""Malaria parasites inside red cells: ring, trophozoite, schizont, gametocyte.

Sizes are shares of the radius of the host cell. Coordinates are pixels from the host's middle.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import FloatArray
from edge.virtual_slide.look import Brush
from edge.virtual_slide.spec import GAMETOCYTE, RING, SCHIZONT, TROPHOZOITE
from edge.virtual_slide.sprites import ANGLES, Patch, grain, ripple


def parasite_density(kind: int, outline: FloatArray, brush: Brush) -> FloatArray:
    """Optical density float32 [h, w, 3] that a parasite adds to its host of ``outline`` [TURNS]; origin in the middle."""
    look, rng, scale = brush
    patch = Patch(int(np.ceil(outline.max() + 3)))
    radius = float(outline.mean())
    host = patch.blob(0, 0, outline * 0.97, 2.0 * scale)
    if kind == RING:
        # Some cells hold two.
        for _ in range(1 + int(rng.random() < 0.12)):
            _ring(patch, radius, brush)
    elif kind == TROPHOZOITE:
        _trophozoite(patch, radius, brush)
    elif kind == SCHIZONT:
        _schizont(patch, host, radius, brush)
    elif kind == GAMETOCYTE and look.banana:
        _crescent(patch, outline, brush)
    elif kind == GAMETOCYTE:
        _gametocyte(patch, host, radius, brush)
    return patch.density * host[..., None]


def _inside(rng: np.random.Generator, radius: float, reach: float) -> tuple[float, float]:
    """A point at most ``reach`` radii from the middle."""
    away, turn = radius * reach * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
    return float(away * np.cos(turn)), float(away * np.sin(turn))


def _dot(patch: Patch, x: float, y: float, size: float, brush: Brush) -> None:
    """Chromatin: a small dark purple grain, round or a little drawn out."""
    look, rng, scale = brush
    size = max(size, 0.9)
    mask = patch.disc(x, y, size, max(1.8 * scale, 0.9), stretch=rng.uniform(0, 0.4), angle=rng.uniform(0, 3.2))
    patch.add(mask * rng.uniform(0.6, 1.0), look.nucleus)


def _ring(patch: Patch, radius: float, brush: Brush) -> None:
    look, rng, scale = brush
    x, y = _inside(rng, radius, 0.5)
    size, faint = radius * rng.uniform(0.17, 0.33), rng.uniform(0.35, 1.0)
    shape = size * (1 + ripple(rng, 1, range(2, 5), 0.07)[0])
    outer = patch.blob(x, y, shape + 0.9 * scale, 1.4 * scale)
    inner = patch.blob(x, y, np.maximum(shape - rng.uniform(0.6, 1.3) * scale, 0.5), 1.6 * scale)
    bead = rng.uniform(0, 2 * np.pi)
    # The cytoplasm is thicker opposite the chromatin, like the stone and the band of a signet ring.
    thick = 0.55 + 0.45 * np.cos(np.arctan2(patch.y - y, patch.x - x) - bead - np.pi)
    band = outer * (1 - inner) * (0.45 + 0.9 * thick) * faint
    patch.add(band.astype(np.float32), look.cytoplasm * 0.7 + look.nucleus * 0.18)
    patch.add(inner * (-0.22 * faint), look.red)
    for turn in (bead, bead + rng.uniform(0.5, 1.4))[: 1 + int(rng.random() < 0.22)]:
        at = size * rng.uniform(0.85, 1.1)
        _dot(patch, x + at * np.cos(turn), y + at * np.sin(turn), radius * rng.uniform(0.065, 0.11), brush)


def _trophozoite(patch: Patch, radius: float, brush: Brush) -> None:
    look, rng, scale = brush
    x, y = _inside(rng, radius, 0.22)
    body = np.zeros_like(patch.density[..., 0])
    for _ in range(int(rng.integers(3, 6))):
        dx, dy = _inside(rng, radius, 0.42)
        shape = radius * rng.uniform(0.16, 0.34) * (1 + ripple(rng, 1, range(2, 8), 0.14)[0])
        body = np.maximum(body, patch.blob(x + dx, y + dy, np.maximum(shape, 1), 3.0 * scale))
    for _ in range(int(rng.integers(1, 3))):
        dx, dy = _inside(rng, radius, 0.35)
        size, stretch = radius * rng.uniform(0.10, 0.2), rng.uniform(0, 0.3)
        hole = patch.disc(x + dx, y + dy, size, 2.5 * scale, stretch=stretch, angle=rng.uniform(0, 3.2))
        body = body * (1 - 0.85 * hole)
        patch.add(hole * -0.22, look.red)
    texture = np.clip(0.85 + 0.35 * grain(rng, patch.half, 2.2 * scale), 0.1, 1.8)
    patch.add(body * texture * rng.uniform(0.3, 0.9), look.cytoplasm * 0.7 + look.nucleus * 0.12)
    _stippling(patch, brush, 0.10)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2]))):
        dx, dy = _inside(rng, radius, 0.5)
        _dot(patch, x + dx, y + dy, radius * rng.uniform(0.075, 0.125), brush)
    _pigment(patch, body, brush, 0.35)


def _schizont(patch: Patch, host: FloatArray, radius: float, brush: Brush) -> None:
    look, rng, scale = brush
    texture = np.clip(0.5 + 0.45 * grain(rng, patch.half, 3.0 * scale), 0, 1.6)
    patch.add(host * texture * rng.uniform(0.25, 0.75), look.cytoplasm * 0.8 + look.nucleus * 0.14)
    count = int(rng.integers(10, 21))
    centre = _inside(rng, radius, 0.2)
    clump = patch.blob(*centre, radius * 0.24 * (1 + ripple(rng, 1, range(2, 7), 0.16)[0]), 4 * scale)
    # Sunflower spacing, shaken: merozoites fill the cell and keep apart from each other.
    for k in range(count):
        away = radius * (0.22 + 0.62 * np.sqrt((k + 0.5) / count)) * rng.uniform(0.92, 1.08)
        turn = 2.4 * k + rng.normal(0, 0.25)
        size = radius * rng.uniform(0.07, 0.115)
        _dot(patch, away * np.cos(turn), away * np.sin(turn), size, brush)
    patch.add(clump * np.clip(0.8 + 0.5 * grain(rng, patch.half, 1.6 * scale), 0, 2), look.pigment * 0.9)


def _gametocyte(patch: Patch, host: FloatArray, radius: float, brush: Brush) -> None:
    """P. vivax: round, fills the cell, even cytoplasm, one mass of chromatin, pigment strewn all over."""
    look, rng, scale = brush
    fill = patch.blob(0, 0, radius * rng.uniform(0.82, 0.95) * (1 + ripple(rng, 1, range(2, 8), 0.03)[0]), 5 * scale)
    fine = grain(rng, patch.half, 1.3 * scale)
    coarse = grain(rng, patch.half, 4.0 * scale)
    texture = np.clip(0.8 + rng.uniform(0.1, 0.25) * fine + rng.uniform(0.1, 0.22) * coarse, 0.05, 1.8)
    tone = look.cytoplasm * rng.uniform(0.1, 0.65) + look.nucleus * rng.uniform(0.04, 0.18)
    patch.add(fill * texture, tone)
    x, y = _inside(rng, radius, 0.45)
    mass = patch.blob(x, y, radius * rng.uniform(0.2, 0.34) * (1 + ripple(rng, 1, range(2, 7), 0.09)[0]), 6 * scale)
    if rng.random() < 0.6:
        patch.add(mass * np.clip(0.55 + 0.3 * fine, 0, 1.3), look.nucleus * 0.45)
    else:
        # A male one: large, pale, loose chromatin.
        patch.add(mass * (-0.5 + 0.2 * fine), look.red)
    _stippling(patch, brush, 0.12)
    _pigment(patch, host * fill, brush, 1.0)


def _crescent(patch: Patch, outline: FloatArray, brush: Brush) -> None:
    """P. falciparum: a banana with pigment and chromatin about its middle."""
    look, rng, scale = brush
    turn, bend, radius = ANGLES[outline.argmax()], rng.uniform(0.5, 0.9), float(outline.mean())
    body = np.zeros_like(patch.density[..., 0])
    for t in np.linspace(-1, 1, 13):
        along, across = float(outline.max()) * 0.9 * t, radius * bend * 0.45 * (t * t - 0.4)
        x, y = along * np.cos(turn) - across * np.sin(turn), along * np.sin(turn) + across * np.cos(turn)
        body = np.maximum(body, patch.disc(x, y, radius * (0.33 - 0.17 * t * t), 2.5 * scale))
    texture = np.clip(0.9 + 0.25 * grain(rng, patch.half, 2.0 * scale), 0.2, 1.6)
    patch.add(body * texture, look.cytoplasm + look.nucleus * 0.14)
    middle = patch.disc(0, 0, radius * 0.34, 7 * scale) * body
    patch.add(middle * np.clip(0.5 + 0.4 * grain(rng, patch.half, 1.4 * scale), 0, 1.5), look.nucleus * 0.6)
    _pigment(patch, middle, brush, 1.2)


def _stippling(patch: Patch, brush: Brush, strength: float) -> None:
    """Schüffner's dots: fine pink grains all over the host of P. vivax."""
    look, rng, scale = brush
    if not look.banana:
        dots = np.clip(grain(rng, patch.half, 0.9 * scale) - 0.6, 0, 2)
        patch.add(dots * rng.uniform(0.4, 1.6), look.nucleus * strength)


def _pigment(patch: Patch, where: FloatArray, brush: Brush, amount: float) -> None:
    """Brown grains of haemozoin, strewn where the mask ``where`` is."""
    look, rng, scale = brush
    dots = np.clip(grain(rng, patch.half, 1.2 * scale) - 1.0, 0, 1.5)
    patch.add(cv2.GaussianBlur(dots * where, (3, 3), 0.6).astype(np.float32) * amount, look.pigment * 0.8)
