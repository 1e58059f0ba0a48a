"""``docs/founding.md``, from the rows that are trained and converted, and those that are not yet."""

from __future__ import annotations

from collections.abc import Sequence

from models.report.markdown import table
from models.studies.founding.table import (
    RESULT_HEAD,
    SECOND_HEAD,
    TARGET_HEAD,
    TRAINING_HEAD,
    WAYS_HEAD,
    FoundingResult,
    code_states,
    measured_rows,
    result_line,
    second_line,
    tally,
    target_line,
    training_line,
    way_lines,
    worst_layers,
)
from models.studies.founding.targets import ACCURACY_POINTS, AGREEMENT, AUC_DROP

_INTRODUCTION = """\
# The founding nets, converted

Written by `python -m models founding` from the real images; how the converter works stands in [convert.md](convert.md).

Every net is built in Keras as its author built it, trained with its author's epochs, rate and loss on cells as its notebook
reads them, saved in its author's file format, and put through `convert quantize` with its cells, labels, value range and
colour. The device file is judged in the device's own runtime on cells that neither training nor converter saw. There are two
protocols:

- `slides`, the honest one: no slide is in two of the three parts (training, converter, judging).
- `notebook`: a random split, as the notebook did. **Cells of one patient are trained on and judged on**, so these figures flatter
  every net. They are here for comparison with the notebook's own figures, and for nothing else.

A row that is not trained to its author's last epoch says so: what counts there is what conversion costs. Intervals are 95 %
bootstrap by slide; differences are paired (same cells). Times were taken in turns on a machine that did other work too: read the
ratio, not the figures.
""".rstrip()

_PRETRAINED = """\
notebook 5, resnet50v2 and micro organisms take ImageNet weights from their authors' download. No package was found that ships those
of VGG16 or ResNet50V2, and a download is no part of this command. So their frozen parts keep random weights, scaled and shifted
channel by channel until a signal passes. These rows say what conversion costs, not what the authors' nets are worth.

Epochs, rates, losses and the batch of notebook 1 are the authors'. Other batches are not known: they are Keras' own, 32. Rates of
resnet50v2 and micro organisms, and the patience of early stopping (10 epochs), are ours.
""".rstrip()

_SECOND = """\
The notebook judges on 2,600 cells, and 135 of its labels differ from the published ones. Of these cells 2,071 are here, with the
author's labels. The protocol `notebook` judges on them and on random cells up to 2,600. Training has seen none of them but, as
in the notebook, many cells of the same slides.

Whether its author corrected the labels that the notebook trains on is not known. In the row `cleaned` it is tried: two nets, each
trained on half of the training cells, say which labels of the other half they contradict (its class gets less than 0.15).
These cells are left out, cells are turned and mirrored, and the rate falls. That is **not the notebook's recipe**. No cell of the
test set has a part in it.
""".rstrip()


def render(results: Sequence[FoundingResult], reading: Sequence[str] = ()) -> str:
    """The whole page.

    Args:
        results: in the order of the table; those without figures are in the first table only.
        reading: lines on what the notebook's own reading of cells and the converter's differ in.
    """
    measured = measured_rows(results)
    second = [line for one in measured if (line := second_line(one))]
    complete = sum(one.complete for one in results)
    parts = [
        _INTRODUCTION,
        "\n## Float as trained → int8 on the device\n",
        f"{complete} of {len(results)} rows are trained to the end and converted; the same command goes on with the others.\n",
        *table(RESULT_HEAD, [result_line(one) for one in results]),
        "\nThe size is that of the file (the Keras file holds the optimizer's state too). µs per cell: float file → int8 file of the",
        "same graph, one thread.",
        *(("\n## On the notebook's own test set\n", _SECOND, "", *table(SECOND_HEAD, second)) if second else ()),
        "\n## Targets\n",
        f"At most {ACCURACY_POINTS} points of accuracy and {AUC_DROP} of AUC lost against the float net as trained, and",
        f"{AGREEMENT:.1%} of cells in the same class. The operating threshold is each net's own: the converter chooses it",
        "for 1 % false positives on cells that do not judge, where there are enough. The last column is the agreement with the",
        "float file of the device's own graph at the device's threshold: what int8 alone costs, without the way to 32x32.\n",
        *table(TARGET_HEAD, [target_line(one) for one in measured]),
        f"\n{tally(measured)}",
        *worst_layers(measured),
        "\n## How they were trained\n",
        _PRETRAINED,
        "",
        *table(TRAINING_HEAD, [training_line(one) for one in measured]),
        *(("\n## How cells are read\n", *reading) if reading else ()),
        "\n## The ways to 32x32 that were tried\n",
        *table(WAYS_HEAD, [line for one in measured for line in way_lines(one)]),
        f"\n{code_states(measured)}",
    ]
    return "\n".join(parts) + "\n"
