"""``python -m benchmarks.network``: ten microscopes, a broker and a collector under faults, written into docs/network-faults.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.book.fields import field_maker
from benchmarks.command import Debug, single_command
from benchmarks.network import page
from benchmarks.network.mosquitto import mosquitto_missing
from benchmarks.network.trial import TrialPlan, run_trial
from edge.door import door, say
from edge.errors import BrokerError
from edge.program import enter
from edge.safe_file import write_text

PROGRAM = "python -m benchmarks.network"
_FIELDS = 12  # virtual fields that are analysed, and counted again and again


def network(
    kills: Annotated[int, typer.Option(min=0, metavar="N", help="Times that the broker is killed.")] = 50,
    scopes: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Microscopes.")] = 10,
    samples: Annotated[int, typer.Option(min=1, metavar="N", help="Complete samples of each.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Of chance.")] = 0,
    *,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where books and logs stay, to look at.  [default: nowhere]")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write docs/network-faults.md.")] = False,
    debug: Debug = False,
) -> None:
    """Let microscopes tell a collector of their samples while broker, network and they themselves fail. Takes about ten minutes.

    The exit code is 1 where a sample did not arrive, arrived twice or in another way than it was counted.
    """
    with door(debug=debug, program=PROGRAM):
        if missing := mosquitto_missing():
            raise BrokerError(f"there is no broker to be killed: {missing}: apt install mosquitto")
        maker = field_maker(None, _FIELDS)
        fields = [maker.make(number)[0] for number in range(_FIELDS)]
        records = []
        for name, persistence in (("broker that keeps nothing", False), ("broker that saves", True)):
            plan = TrialPlan(name, persistence, scopes, samples, kills, seed=seed + persistence)
            with tempfile.TemporaryDirectory() as temporary:
                place = Path(temporary) if folder is None else folder / ("saves" if persistence else "keeps-nothing")
                place.mkdir(parents=True, exist_ok=True)
                records.append(run_trial(plan, place, fields, maker.about, lambda line: say(line, PROGRAM)))
        text = page.page_text(records)
        typer.echo(text)
        if write:
            write_text(page.PAGE, text)
    sys.exit(int(any(record.compared.wrong or record.left_s is None for record in records)))


app = single_command(network, "Example: python -m benchmarks.network --kills 5 --scopes 3")

if __name__ == "__main__":
    enter(app, PROGRAM)
