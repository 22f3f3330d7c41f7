"""The matrix made ready for linear models and networks: missing answers filled, numbers scaled, codes as one-hot.

Learned on the training rows, computed in float32 with the same operators in numpy and in ONNX:

- quantities, dates and derived features: a missing one takes the median; then cut to the 0.5 % and 99.5 %
  quantiles, so that no implausible number carries a linear model away; then minus mean, by standard deviation;
- categories, texts and codes (such as shops): a column for each value with MIN_COUNT rows or more, at most
  MAX_VALUES of them; any other value, unknown or unseen, is all zeros;
- a column that is 1 where the answer is missing, for each feature in which that occurs.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, helper, numpy_helper

from .configuration import CATEGORICAL, Configuration
from .dataset import Matrix

MIN_COUNT: Final = 20
MAX_VALUES: Final = 100
TAIL: Final = 0.005

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Encoder:
    """How to encode; every array is float32 but the column numbers."""

    numeric: Ints
    """Columns of the matrix, [numbers]."""
    fill: Matrix
    low: Matrix
    high: Matrix
    mean: Matrix
    scale: Matrix
    """[numbers] each."""
    one_hot: Ints
    """Column of the matrix of each value, [values]."""
    values: Matrix
    """[values]"""
    absent: Ints
    """Columns of the matrix whose absence counts, [absent]."""

    def encode(self, matrix: Matrix) -> Matrix:
        """Return [rows, numbers + values + absent]."""
        numbers = matrix[:, self.numeric]
        filled = np.where(np.isnan(numbers), self.fill, numbers)
        scaled = (np.minimum(np.maximum(filled, self.low), self.high) - self.mean) * self.scale
        hot = matrix[:, self.one_hot] == self.values
        missing = np.isnan(matrix[:, self.absent])
        return np.concatenate([scaled, hot, missing], axis=1, dtype=np.float32)

    def graph(self, source: str, target: str) -> tuple[list[NodeProto], list[Any]]:
        """Return the ONNX nodes from the matrix `source` to the encoded `target`, and their constants."""
        nodes: list[NodeProto] = []
        constants: dict[str, npt.NDArray[Any]] = {}
        parts: list[str] = []
        if self.numeric.size:
            constants |= {
                "numeric": self.numeric, "fill": self.fill, "low": self.low, "high": self.high,
                "mean": self.mean, "scale": self.scale,
            }  # fmt: skip
            nodes += [
                helper.make_node("Gather", [source, "numeric"], ["numbers"], axis=1),
                helper.make_node("IsNaN", ["numbers"], ["unknown"]),
                helper.make_node("Where", ["unknown", "fill", "numbers"], ["filled"]),
                helper.make_node("Max", ["filled", "low"], ["raised"]),
                helper.make_node("Min", ["raised", "high"], ["cut"]),
                helper.make_node("Sub", ["cut", "mean"], ["centred"]),
                helper.make_node("Mul", ["centred", "scale"], ["scaled"]),
            ]
            parts.append("scaled")
        if self.one_hot.size:
            constants |= {"one_hot": self.one_hot, "values": self.values}
            nodes += [
                helper.make_node("Gather", [source, "one_hot"], ["repeated"], axis=1),
                helper.make_node("Equal", ["repeated", "values"], ["equal"]),
                helper.make_node("Cast", ["equal"], ["hot"], to=1),
            ]
            parts.append("hot")
        if self.absent.size:
            constants["absent"] = self.absent
            nodes += [
                helper.make_node("Gather", [source, "absent"], ["asked"], axis=1),
                helper.make_node("IsNaN", ["asked"], ["unanswered"]),
                helper.make_node("Cast", ["unanswered"], ["missing"], to=1),
            ]
            parts.append("missing")
        nodes.append(helper.make_node("Concat", parts, [target], axis=1))
        return nodes, [numpy_helper.from_array(value, name) for name, value in constants.items()]


def learn_encoder(configuration: Configuration, matrix: Matrix) -> Encoder:
    """Learn the encoding on the training rows; a feature that is constant there gives nothing."""
    numeric, statistics = [], []
    one_hot: list[tuple[int, float]] = []
    absent = []
    for column, feature in enumerate(configuration.features):
        values = matrix[:, column]
        known = values[~np.isnan(values)]
        if MIN_COUNT <= values.size - known.size <= values.size - MIN_COUNT:
            absent.append(column)
        if feature.kind in CATEGORICAL or feature.kind == "code":
            codes, counts = np.unique(known, return_counts=True)
            often = np.argsort(-counts, kind="stable")[:MAX_VALUES]
            often = often[counts[often] >= MIN_COUNT]
            if often.size > 1:
                one_hot += [(column, float(code)) for code in np.sort(codes[often])]
        elif known.size and known.min() < known.max():
            low, high = np.quantile(known, [TAIL, 1 - TAIL])
            cut = np.clip(known, low, high).astype(np.float64)
            spread = float(cut.std())
            if spread > 0:
                numeric.append(column)
                statistics.append((float(np.median(known)), low, high, float(cut.mean()), 1 / spread))
    fill, low, high, mean, scale = np.array(statistics, np.float32).reshape(-1, 5).T.copy()
    return Encoder(
        numeric=np.array(numeric, np.int64),
        fill=fill,
        low=low,
        high=high,
        mean=mean,
        scale=scale,
        one_hot=np.array([column for column, _ in one_hot], np.int64),
        values=np.array([value for _, value in one_hot], np.float32),
        absent=np.array(absent, np.int64),
    )
