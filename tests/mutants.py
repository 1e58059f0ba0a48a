"""How many small changes to the code of a room its own tests notice: mutmut, on one room and a random sample of its mutants.

``python tests/mutants.py edge/verdict --sample 150 --seed 1`` (``make mutants ROOM=edge/verdict``) makes every mutant of the
room's functions (one operator, number, string, argument or keyword changed) and draws a sample. For each of these it runs the
tests of the room that reach the changed function, quickest first, until one fails. It prints the survivors as diffs and mutmut's
count. It is run as a file and not as a module, so that no package of the working tree is imported before mutmut's copy of it in
``mutants/``.
"""

# ruff: noqa: T201 - it reports on standard output

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:] = [place for place in sys.path if Path(place).resolve() != HERE]  # tests/models is not the package models

import mutmut.configuration  # noqa: E402
from mutmut.__main__ import _run, collect_source_file_mutation_data  # noqa: E402
from mutmut.mutation.diff_apply import get_diff_for_mutant  # noqa: E402
from mutmut.mutation.file_mutation import mutate_file_contents  # noqa: E402
from mutmut.stats import status_by_exit_code  # noqa: E402
from mutmut.utils.file_utils import walk_mutatable_files  # noqa: E402
from mutmut.utils.format_utils import get_mutant_name  # noqa: E402

NOTICED = ("killed", "timeout")
"""What mutmut counts as noticed: a test failed, or did not end."""


@dataclass(frozen=True)
class Room:
    """The product files that are changed and the tests that should notice.

    Attributes:
        files: patterns of paths from the repository's root.
        tests: paths; those that do not exist are passed over.
    """

    files: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "edge/verdict": Room(("edge/verdict/*.py",), ("tests/verdict",)),
    "edge/gate.py": Room(("edge/gate.py",), ("tests/test_gate.py", "tests/test_incomplete.py", "tests/test_region.py")),
    "edge/sample.py": Room(("edge/sample.py",), ("tests/test_sample.py",)),
    "edge/session.py": Room(("edge/session.py",), ("tests/test_session.py",)),
    "edge/book": Room(("edge/book/*.py",), ("tests/book",)),
    "edge/crops.py": Room(("edge/crops.py",), ("tests/test_crops.py",)),
    "edge/classifier.py": Room(("edge/classifier.py",), ("tests/test_classifier.py",)),
    "edge/boxes.py": Room(("edge/boxes.py",), ("tests/test_boxes.py",)),
    "edge/decision.py": Room(("edge/decision.py",), ("tests/test_decision.py",)),
    "convert/measure": Room(
        ("convert/measure/*.py",),
        (
            "tests/convert/measure",
            "tests/convert/test_annotations.py",
            "tests/convert/test_operating.py",
            "tests/convert/test_scoring.py",
        ),
    ),
    "models/judge": Room(("models/judge/*.py",), ("tests/models/judge", "tests/models/data")),
    "models/data": Room(("models/data/*.py",), ("tests/models/data", "tests/models/judge")),
}
"""Which tests belong to which room. A test that needs TensorFlow, real images or a browser is left out."""


def settle(room: Room) -> None:
    """Give mutmut the room's files and tests; the rest of its settings stand in pyproject.toml."""
    tests = [path for path in room.tests if Path(path).exists()]
    settings = replace(
        mutmut.configuration.config(), only_mutate=list(room.files), pytest_add_cli_args_test_selection=tests
    )
    mutmut.configuration._config = settings  # mutmut itself reads them from the file only


def drawn(sample: int, seed: int) -> tuple[list[str], int]:
    """The names of a random sample of the mutants, and how many mutants there are."""
    names = sorted(
        get_mutant_name(path, name)
        for path in walk_mutatable_files()
        for name in mutate_file_contents(str(path), path.read_text()).mutant_names
    )
    return sorted(random.Random(seed).sample(names, min(sample, len(names)))), len(names)


def report(room: str, names: list[str], total: int, seed: int) -> None:
    """Print the survivors as diffs, then one line per status and file, then the count."""
    tried, _ = collect_source_file_mutation_data(mutant_names=names)
    statuses = {name: (status_by_exit_code[data.exit_code_by_key[name]], str(data.path)) for data, name, _ in tried}
    for name, (status, path) in sorted(statuses.items()):
        if status not in NOTICED:
            print(f"\n# {name}: {status}\n{get_diff_for_mutant(name, path=path)}")
    print()
    for path in sorted({path for _, path in statuses.values()}):
        count = Counter(status for status, where in statuses.values() if where == path)
        print(f"{path:40} {', '.join(f'{n} {status}' for status, n in sorted(count.items()))}")
    noticed = sum(status in NOTICED for status, _ in statuses.values())
    print(
        f"{room}: {noticed} of {len(statuses)} killed ({noticed / len(statuses):.1%}); {total} mutants in all, seed {seed}"
    )


def main() -> None:
    """Read the command line, run mutmut, report."""
    parser = argparse.ArgumentParser(description="How many small changes to a room's code its own tests notice.")
    parser.add_argument("room", choices=sorted(ROOMS))
    parser.add_argument("--sample", type=int, default=150, help="mutants tried (default: 150)")
    parser.add_argument("--seed", type=int, default=1, help="random seed of the sample (default: 1)")
    parser.add_argument("--workers", type=int, default=None, help="processes (default: one per core)")
    given = parser.parse_args()
    shutil.rmtree("mutants", ignore_errors=True)  # nothing is taken from an earlier run: tests may have changed
    settle(ROOMS[given.room])
    names, total = drawn(given.sample, given.seed)
    _run(names, given.workers)
    report(given.room, names, total, given.seed)


if __name__ == "__main__":
    main()
