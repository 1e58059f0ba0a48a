"""Many results as one page for people. Written from the files alone: the same files give the same page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.record.run import MEASURED, CaseRecord, Run
from benchmarks.record.summary import growth, summarise
from benchmarks.report.figures import digits, digits_or_dash, megabytes
from benchmarks.report.ratios import ceiling, overheads, peer_ratios, scaling, targets

_HEAD = """# What a cell and a field cost

`edge-bench report` writes this page: do not edit it. [benchmarking.md](benchmarking.md) describes how it is measured,
[contributing-benchmarks.md](contributing-benchmarks.md) how to add a machine. Times are wall time in microseconds per cell or field.
"""


def page(runs: Sequence[tuple[str, Run]], plots: Sequence[str] = ()) -> str:
    """The page in Markdown.

    Args:
        runs: (file name, run), all of them: those that must not be used are named at the end.
        plots: files beside the page.
    """
    good = [(name, run) for name, run in runs if usable(run)]
    parts = [_HEAD]
    if good:
        parts.append("\n".join(["## Machines", "", *_machines(good)]))
    else:
        parts.append("No result could be used.")
    if len(good) > 1:
        parts.append("\n".join(_across([run for _, run in good])))
    parts += [f"![{plot.rsplit('.', 1)[0].replace('-', ' ')}]({plot})" for plot in plots]
    parts += ["\n".join(_machine(name, run)) for name, run in good]
    left_out = [_left_out(name, run) for name, run in runs if not usable(run)]
    if left_out:
        parts.append("\n".join(["## Left out", "", *left_out]))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def usable(run: Run) -> bool:
    """Whether a run may be shown: complete, and the board kept its pace."""
    return not run.invalid and not run.partial and bool(run.measured)


def label(run: Run) -> str:
    """What a machine is called: its board, else its processor."""
    what = str(run.device["board"] or run.device["cpu"] or run.device["machine"])
    return f"{what} (virtual)" if run.device["virtual"] else what


def _left_out(name: str, run: Run) -> str:
    why = [f"invalid: {reason}" for reason in run.invalid] + (
        ["partial: stopped before the end"] if run.partial else []
    )
    return f"- {_text(name)} ({_text(label(run))}, {run.created}): {_text('; '.join(why) or 'nothing was measured')}"


def _machines(runs: Sequence[tuple[str, Run]]) -> Iterator[str]:
    rows = []
    for name, run in runs:
        device = run.device
        clock = device["clock_max_mhz"]
        memory = device["memory_bytes"]
        hottest = max((s["temperature_c"] for s in run.states if s["temperature_c"] is not None), default=None)
        rows.append(
            [
                label(run),
                str(device["cpu"] or "unknown"),
                f"{device['cores']} x {'unknown' if clock is None else f'{clock:g} MHz'}",
                "unknown" if memory is None else f"{memory / 1e9:.1f} GB",
                f"{device['os'] or 'unknown'}, {device['machine']}, Python {device['python']}",
                str(device["runtime"] or "none"),
                _governors(run),
                digits_or_dash(hottest, 3),
                run.created[:10],
                name,
            ]
        )
    heads = ["machine", "processor", "cores", "memory", "system", "runtime", "governor", "hottest °C", "date", "file"]
    yield from _table(heads, rows)


def _across(runs: Sequence[Run]) -> Iterator[str]:
    """The same case on every machine, where at least two measured it."""
    names = list(dict.fromkeys(n for run in runs for n in run.measured))
    rows = []
    for name in names:
        found = [run.measured.get(name) for run in runs]
        if sum(case is not None for case in found) > 1:
            rows.append([name, *(digits_or_dash(summarise(case).p50_us if case else None) for case in found)])
    yield from ("## The same cases on every machine", "")
    yield from _table(["p50 µs", *(f"{label(run)}, {run.created[:10]}" for run in runs)], rows)


def _governors(run: Run) -> str:
    return ", ".join(dict.fromkeys(str(state["governor"] or "unknown") for state in run.states)) or "unknown"


def _machine(name: str, run: Run) -> Iterator[str]:
    yield f"## {_text(label(run))}, {run.created[:10]}"
    yield ""
    plan = run.plan
    yield (
        f"`{_text(name)}`, version {_text(run.version)}: {plan['seconds']:g} s per case in {plan['processes']} processes of "
        f"{plan['rounds']} rounds."
    )
    for note in run.notes:
        yield f"- {_text(note)}"
    cases = list(run.measured.values())
    for unit in dict.fromkeys(case.workload.unit for case in cases):
        yield from ("", f"### Per {unit}", "")
        yield from _times(unit, [case for case in cases if case.workload.unit == unit])
    yield from _section("### Where a field's time goes", _stages(cases))
    yield from _section("### Growth with the field", _growth(run))
    yield from _section("### Overhead and limits", _limits(run))
    yield from _section("### Side by side", _peers(run))
    yield from _section("### Targets", _targets(run))
    missing = [case for case in run.cases if case.status != MEASURED]
    yield from _section(
        "### Not measured", (f"- {_text(c.name)}: {c.status}: {_text(c.reason or '')}" for c in missing)
    )


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from ("", title, "", *found)


def _times(unit: str, cases: Sequence[CaseRecord]) -> Iterator[str]:
    heads = ["case", "p50 µs", "p90 µs", "p99 µs", f"{unit}s/s", "CPU µs", "start ms", "RSS MB", "PSS MB", "mJ"]
    rows = []
    for case in cases:
        s = summarise(case)
        figures = [
            digits_or_dash(value) for value in (s.p50_us, s.p90_us, s.p99_us, s.units_per_s, s.cpu_us, s.start_ms)
        ]
        rows.append([case.name, *figures, megabytes(case.peak_rss), megabytes(case.peak_pss), digits_or_dash(s.mj)])
    yield from _table(heads, rows)


def _stages(cases: Sequence[CaseRecord]) -> Iterator[str]:
    staged = [(case, summarise(case)) for case in cases]
    staged = [(case, s) for case, s in staged if "decode" in s.stages_us]
    if not staged:
        return
    names = list(dict.fromkeys(name for _, s in staged for name in s.stages_us))
    heads = ["case, p50 µs", *names, "find + crop + classify over decode", "all stages over decode"]
    rows = [
        [
            case.name,
            *(digits_or_dash(s.stages_us.get(name)) for name in names),
            digits_or_dash(s.to_decode),
            digits_or_dash(s.whole_to_decode),
        ]
        for case, s in staged
    ]
    yield from _table(heads, rows)


def _growth(run: Run) -> Iterator[str]:
    fit = growth(run)
    if fit is None:
        return
    yield (
        f"Milliseconds per field = {digits(fit.base)} + {digits(fit.per_mpixel)} x megapixels + {digits(fit.per_kcell)} x "
        f"thousands of cells (least squares of relative residuals over {len(fit.residuals_ms)} cases, one worker); R² "
        f"{digits(fit.r2)}, largest residual {digits(fit.worst * 100)} % of its field's time."
    )
    yield ""
    yield from _table(["case", "residual ms"], [[name, digits(ms)] for name, ms in fit.residuals_ms.items()])


def _limits(run: Run) -> Iterator[str]:
    for case, what, ratio in overheads(run):
        yield f"- {_text(case.name)} over the bare interpreter ({what}): {digits(ratio)}"
    top = ceiling(run)
    yield f"- the core's ceiling: {digits(top[0])} GMAC/s, {top[1]}" if top else "- the core's ceiling: unknown"
    for case in run.measured.values():
        reached = summarise(case).gmac_s
        if reached is not None and case.workload.parameters.get("threads", 1) == 1 and case.workload.group != "ceiling":
            share = f", {digits(reached / top[0] * 100, 3)} % of it" if top else ""
            yield f"- {_text(case.name)}: {digits(reached)} GMAC/s{share}"
    for case, alone, workers in scaling(run):
        gain = summarise(case).units_per_s / summarise(alone).units_per_s
        yield f"- {_text(case.name)}: {workers} workers do {digits(gain)} times as much as 1"


def _peers(run: Run) -> Iterator[str]:
    found = list(peer_ratios(run))
    if found:
        heads = ["case", "p50 µs", "compared with", "p50 µs", "times as long"]
        yield from _table(
            heads,
            [
                [
                    one.case.name,
                    digits(summarise(one.case).p50_us),
                    one.ours.name,
                    digits(summarise(one.ours).p50_us),
                    digits(one.times),
                ]
                for one in found
            ],
        )


def _targets(run: Run) -> Iterator[str]:
    found = targets(run)
    if found:
        rows = [[one.name, one.wanted, digits(one.measured), "met" if one.met else "**missed**"] for one in found]
        yield from _table(["figure", "target", "measured", ""], rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(_text(cell) for cell in row) + " |"


def _text(text: str) -> str:
    """Text from a stranger's file as it may stand in a page: one line, no markup."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("[", "\\[").replace("`", "'")
