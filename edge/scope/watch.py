"""The light of a sample: whether its fields keep to the profile of their microscope, and to one another.

All of it is read from the fields' metadata (``edge.scope.check``), so that a sample that is gone on with, or counted anew from the
book, is judged like one that was counted in one go.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from edge.deciding import NoteTaker
from edge.scope.check import ALLOWED, COLOUR, DIFFERS, LAMP, LIGHT, SAID, SCOPE, moved
from edge.scope.light import LightChange, colour_words, share_words
from edge.types import FieldResult

STRAY = 0.1
"""Share of a sample's fields whose light may be beyond what the profile allows: a hand in front of the lamp is one field."""

_FEW = 2  # fields, likewise
_RUN = 5  # fields whose median is one point of the light's course


class LightNotes:
    """The light of one sample. Call ``add`` for each field that counts, in field order.

    Args:
        tell: takes a kind and a line for a person; each kind is told once per run.
        since: the day that light is compared with, as ``the day of calibration``.
    """

    def __init__(self, tell: Callable[[str, str], None], since: str = "the day of set-up") -> None:
        self._tell = tell
        self._since = since
        self._light: list[float] = []
        self._lamp: list[float] = []
        self._red: list[float] = []
        self._blue: list[float] = []
        self._names: list[str] = []
        self._allowed = (0.0, 0.0)
        self._scope = ""
        self._differs: dict[str, int] = {}

    def add(self, result: FieldResult) -> None:
        """Look at one field."""
        self.look(result.name, result.metadata)

    def look(self, name: str, told: Mapping[str, object]) -> None:
        """Look at what the check found of one field."""
        light, colour, allowed = _numbers(told, LIGHT, 1), _numbers(told, COLOUR, 2), _numbers(told, ALLOWED, 2)
        if light is None or colour is None or allowed is None:
            return
        self._light.append(light[0])
        self._lamp.append((_numbers(told, LAMP, 1) or light)[0])
        self._red.append(colour[0])
        self._blue.append(colour[1])
        self._names.append(name)
        self._allowed = (allowed[0], allowed[1])
        self._scope = str(told.get(SCOPE, ""))
        differs = told.get(DIFFERS)
        if isinstance(differs, str):
            self._differs[differs] = self._differs.get(differs, 0) + 1
        said = told.get(SAID)
        if isinstance(said, str):
            self._tell(" ".join(said.split()[:2]), f"{name}: {said}")

    def doubts(self) -> tuple[str, ...]:
        """Why the sample cannot be judged, a sentence each: its light is not that of the profile, or did not stay the same."""
        if not self._light:
            return ()
        out = [*self._light_doubts(), *self._colour_doubts()]
        return tuple(out) or tuple(self._course())

    def _light_doubts(self) -> list[str]:
        allowed = self._allowed[0]
        most = f"and the profile of {self._scope} allows {allowed * 100:.0f} %"
        middle, lamp = statistics.median(self._light), statistics.median(self._lamp)
        if moved(middle, allowed):
            what, factor = ("The lamp", lamp) if moved(lamp, allowed) else ("The picture", middle)
            return [f"{what} is {share_words(factor)} than on {self._since}, {most}."]
        stray = [n for n, one in enumerate(self._light) if moved(one, allowed)]
        if len(stray) < _FEW or len(stray) <= STRAY * len(self._light):
            return []
        worst = max(stray, key=lambda n: max(self._light[n], 1 / max(self._light[n], 1e-3)))
        return [
            (
                f"In {len(stray):,} of {len(self._light):,} fields the light is not that of {self._since}: "
                f"{share_words(self._light[worst])} in {self._names[worst]}, {most}."
            )
        ]

    def _colour_doubts(self) -> list[str]:
        found = LightChange(1.0, statistics.median(self._red), statistics.median(self._blue))
        if found.colour <= self._allowed[1]:
            return []
        allowed = f"and the profile of {self._scope} allows {self._allowed[1] * 100:.0f} %"
        return [f"The light has {colour_words(found)} than on {self._since}, {allowed}."]

    def _course(self) -> list[str]:
        """What changed while the sample ran."""
        if len(self._light) < 2 * _RUN:
            return []
        course = [statistics.median(self._light[n : n + _RUN]) for n in range(len(self._light) - _RUN + 1)]
        low, high = course.index(min(course)), course.index(max(course))
        factor = course[low] / max(course[high], 1e-3)
        if not moved(factor, self._allowed[0]):
            return []
        first, last = sorted((low, high))
        ratio = course[last] / max(course[first], 1e-3)
        return [
            (
                f"The light changed while the sample ran: {share_words(ratio)} from {self._names[first]} to {self._names[last]}, "
                f"and the profile of {self._scope} allows {self._allowed[0] * 100:.0f} %."
            )
        ]

    def sentences(self) -> tuple[str, ...]:
        """What else there is to say, a sentence each."""
        return tuple(
            f"{fields:,} of {len(self._light):,} fields {'differ' if fields != 1 else 'differs'} from the profile of "
            f"{self._scope}: {words}."
            for words, fields in self._differs.items()
        )


class AllNotes:
    """Several who take notes, as one."""

    def __init__(self, takers: Sequence[NoteTaker]) -> None:
        self._takers = tuple(takers)

    def add(self, result: FieldResult) -> None:
        """Hand on one field."""
        for taker in self._takers:
            taker.add(result)

    def doubts(self) -> tuple[str, ...]:
        """Of all."""
        return tuple(line for taker in self._takers for line in taker.doubts())

    def sentences(self) -> tuple[str, ...]:
        """Of all."""
        return tuple(line for taker in self._takers for line in taker.sentences())


class LightWatch:
    """Makes the notes of each sample and says each kind once per run.

    Args:
        tell: takes one line for a person.
        since: see ``LightNotes``.
    """

    def __init__(self, tell: Callable[[str], None], since: str = "the day of set-up") -> None:
        self._tell = tell
        self._since = since
        self._told: set[str] = set()

    def sample(self) -> LightNotes:
        """The notes of a new sample."""
        return LightNotes(self._once, self._since)

    def _once(self, kind: str, line: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._tell(line)


def _numbers(told: Mapping[str, object], key: str, many: int) -> tuple[float, ...] | None:
    """So many numbers of the metadata, which may come from a book; None: they are not there."""
    value = told.get(key)
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    if len(values) != many or not all(isinstance(one, int | float) for one in values):
        return None
    return tuple(float(one) for one in values if isinstance(one, int | float))
