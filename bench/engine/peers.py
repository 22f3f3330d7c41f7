"""The Python side of the engine benchmark: makes the models, and times the peers one call at a time.

    python peers.py FOLDER         then one JSON request per line on stdin, one JSON answer on stdout

Requests: {"make": CASE} trains a case's model, writes FOLDER/NAME.onnx and .bin (float32 rows) and
answers its peers; {"peer", "name", "task", "rows"} answers the microseconds per row of one run;
{"expect": {name, rows, seed}} writes rows with ONNX Runtime's probabilities, {"explain": {peer, ...}}
the same with a library's contributions.
All peers run on one thread. treelite and tl2cgen are left out where they are
not installed.
"""

# mypy: disable-error-code="import-untyped"

import importlib.util
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2] / "tests/wasm/fixtures"))
warnings.filterwarnings("ignore")

import covers
import numpy as np
import onnxmltools
import onnxruntime
import xgboost
from lightgbm import LGBMClassifier
from onnxmltools.convert.common.data_types import FloatTensorType
from xgboost import XGBClassifier

FEATURES: Final = 20
TRAINING_ROWS: Final = 20_000
BATCH: Final = 4_096
#: Columns as in the shipped questionnaire: income, amount, term, payment, payment to income.
INCOME, AMOUNT, TERM, PAYMENT, SHARE = 6, 13, 14, 16, 17
Runner = Callable[[np.ndarray], Any]


def draw(rows: int, seed: int) -> np.ndarray:
    """Normal features, but for those of a loan, which derive from one another; some are missing."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, FEATURES)).astype(np.float32)
    x[generator.random(x.shape) < 0.05] = np.nan
    x[:, INCOME] = np.exp(generator.normal(11, 0.6, rows))
    x[:, AMOUNT] = generator.integers(10, 1000, rows) * 1000
    x[:, TERM] = generator.integers(1, 13, rows) * 3
    x[:, PAYMENT] = x[:, AMOUNT] / x[:, TERM]
    x[:, SHARE] = x[:, PAYMENT] / x[:, INCOME]
    return x


def labels(x: np.ndarray, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    known = np.nan_to_num(x)
    sum_ = known[:, 0] + known[:, 1] * known[:, 2] - 2 * np.log(known[:, SHARE] + 1e-3) - 2
    return (sum_ + generator.normal(size=len(x)) > 0).astype(int)


def session(onnx: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])


def onnx_runner(onnx: bytes) -> Runner:
    loaded = session(onnx)
    name, output = loaded.get_inputs()[0].name, loaded.get_outputs()[-1].name
    return lambda x: loaded.run([output], {name: x})[0]


class Peers:
    """What can be timed: a runner per peer, model and task."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runners: dict[tuple[str, str, str], Runner] = {}
        self.inputs: dict[str, np.ndarray] = {}
        self.boosters: list[Any] = []

    def make(
        self, name: str, kind: str, trees: int, depth: int, seed: int, *, native: bool = False
    ) -> list[str]:
        """Trains and writes a model; `native` also compiles it with tl2cgen, which takes minutes."""
        x = draw(TRAINING_ROWS, seed)
        y = labels(x, seed)
        tools = [("x", FloatTensorType([None, FEATURES]))]
        if kind == "xgboost":
            model = XGBClassifier(n_estimators=trees, max_depth=depth, random_state=seed)
            model.fit(x, y)
            onnx = onnxmltools.convert_xgboost(model, initial_types=tools, target_opset=15)
            covers.write(onnx, covers.of_xgboost(model))
            self._add_xgboost(name, model.get_booster())
            if native and importlib.util.find_spec("tl2cgen"):
                self._add_native(name, model.get_booster())
        else:
            leafwise = LGBMClassifier(
                n_estimators=trees, num_leaves=depth, random_state=seed, verbose=-1, n_jobs=1
            )
            leafwise.fit(x, y)
            onnx = onnxmltools.convert_lightgbm(
                leafwise, initial_types=tools, target_opset=15, zipmap=False
            )
            covers.write(onnx, covers.of_lightgbm(leafwise))
            self._add_lightgbm(name, leafwise.booster_)
        serialised = onnx.SerializeToString()
        (self.folder / f"{name}.onnx").write_bytes(serialised)
        self.inputs[name] = draw(BATCH, seed + 1000)
        self._add_onnx(name, serialised)
        expected = np.asarray(onnx_runner(serialised)(self.inputs[name]), np.float32)
        expected = expected.reshape(BATCH, -1)[:, -1]
        (self.folder / f"{name}.bin").write_bytes(self.inputs[name].tobytes() + expected.tobytes())
        return sorted({peer for peer, model, _ in self.runners if model == name})

    def load(self, name: str, path: str, rows: str) -> list[str]:
        """A shipped model, and rows to score it on."""
        self._add_onnx(name, Path(path).read_bytes())
        self.inputs[name] = np.fromfile(rows, np.float32).reshape(-1, FEATURES)
        return ["onnxruntime"]

    def _add_onnx(self, name: str, onnx: bytes) -> None:
        for task in ("single", "batch"):
            self.runners["onnxruntime", name, task] = onnx_runner(onnx)

    def _add_xgboost(self, name: str, booster: Any) -> None:
        booster.set_param({"nthread": 1})
        self.boosters.append(booster)
        for task in ("single", "batch"):
            self.runners["xgboost", name, task] = booster.inplace_predict
        self.runners["xgboost", name, "contributions"] = lambda x: booster.predict(
            xgboost.DMatrix(x, nthread=1), pred_contribs=True
        )
        self.runners["xgboost", name, "margin"] = lambda x: booster.inplace_predict(
            x, predict_type="margin"
        )
        if importlib.util.find_spec("treelite"):
            import treelite

            treelite_model = treelite.frontend.from_xgboost(booster)
            for task in ("single", "batch"):
                self.runners["treelite", name, task] = lambda x: treelite.gtil.predict(
                    treelite_model, x, nthread=1
                )

    def _add_native(self, name: str, booster: Any) -> None:
        import tl2cgen
        import treelite

        library = str(self.folder / f"{name}.so")
        tl2cgen.export_lib(
            treelite.frontend.from_xgboost(booster),
            toolchain="gcc",
            libpath=library,
            params={"parallel_comp": 16},
        )
        predictor = tl2cgen.Predictor(library, nthread=1)
        for task in ("single", "batch"):
            self.runners["treelite as C", name, task] = lambda x: predictor.predict(
                tl2cgen.DMatrix(x)
            )

    def _add_lightgbm(self, name: str, booster: Any) -> None:
        for task in ("single", "batch"):
            self.runners["lightgbm", name, task] = lambda x: booster.predict(x, num_threads=1)
        self.runners["lightgbm", name, "contributions"] = lambda x: booster.predict(
            x, pred_contrib=True, num_threads=1
        )
        self.runners["lightgbm", name, "margin"] = lambda x: booster.predict(
            x, raw_score=True, num_threads=1
        )

    def time(self, peer: str, name: str, task: str, rows: int) -> float:
        """Microseconds per row: single rows in a loop, or one batch."""
        run, x = self.runners[peer, name, task], self.inputs[name]
        if task == "single":
            parts = [x[row : row + 1] for row in range(rows)]
            start = time.perf_counter()
            for part in parts:
                run(part)
        else:
            part = x[np.arange(rows) % len(x)]
            start = time.perf_counter()
            run(part)
        return (time.perf_counter() - start) / rows * 1e6

    def expect(self, name: str, rows: int, seed: int) -> str:
        """Draws rows and ONNX Runtime's probabilities for them; the file they are in."""
        x = draw(rows, seed)
        x[np.random.default_rng(seed).random(x.shape) < 0.1] = np.nan
        run = self.runners["onnxruntime", name, "batch"]
        probabilities = np.asarray(run(x), np.float32).reshape(rows, -1)[:, -1]
        path = self.folder / "expected.bin"
        path.write_bytes(x.tobytes() + probabilities.tobytes())
        return str(path)

    def explain(self, peer: str, name: str, rows: int, seed: int) -> dict[str, Any]:
        """Draws rows and a library's contributions to them, the bias last: the file they are in.

        Also by how much their sums are off its own margins: XGBoost adds up in floats.
        """
        x = draw(rows, seed)
        values = np.asarray(self.runners[peer, name, "contributions"](x), np.float64)
        margins = np.asarray(self.runners[peer, name, "margin"](x), np.float64)
        path = self.folder / "explained.bin"
        path.write_bytes(x.tobytes() + values.tobytes())
        return {"path": str(path), "gap": float(np.abs(values.sum(axis=1) - margins).max())}

    def offers(self, path: str) -> float:
        """Milliseconds to score a file of cells with the first five XGBoost models."""
        matrix = np.fromfile(path, np.float32).reshape(-1, FEATURES)
        start = time.perf_counter()
        for booster in self.boosters[:5]:
            booster.inplace_predict(matrix)
        return (time.perf_counter() - start) * 1e3


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("onnxruntime", "xgboost", "xgboost-cpu", "lightgbm", "treelite", "tl2cgen"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main() -> None:
    # Libraries print to stdout; the answers keep it for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    peers = Peers(Path(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        answer: Any
        if "make" in request:
            answer = peers.make(**request["make"])
        elif "load" in request:
            answer = peers.load(**request["load"])
        elif "expect" in request:
            answer = peers.expect(**request["expect"])
        elif "explain" in request:
            answer = peers.explain(**request["explain"])
        elif "offers" in request:
            answer = peers.offers(request["offers"])
        elif "versions" in request:
            answer = versions()
        else:
            answer = peers.time(**request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
