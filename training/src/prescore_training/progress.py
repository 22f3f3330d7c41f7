"""A progress bar on standard error: redrawn in a terminal, a line every twentieth elsewhere. Safe in threads."""

import sys
import threading
import time
from typing import Final

WIDTH: Final = 30
REDRAW_S: Final = 0.1


class Progress:
    """Counts steps of a known total."""

    def __init__(self, total: int, unit: str) -> None:
        """Start counting `total` steps, named by `unit` in the plural."""
        self._total = total
        self._unit = unit
        self._done = 0
        self._started_s = self._shown_s = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._lock = threading.Lock()

    def step(self) -> None:
        """Count one more."""
        with self._lock:
            self._done += 1
            now_s = time.monotonic()
            every = max(1, self._total // 20)
            due = now_s - self._shown_s >= REDRAW_S if self._terminal else self._done % every == 0
            if due or self._done == self._total:
                self._show(now_s)

    def _show(self, now_s: float) -> None:
        self._shown_s = now_s
        elapsed_s = now_s - self._started_s
        left_s = elapsed_s / self._done * (self._total - self._done)
        bar = "#" * (WIDTH * self._done // self._total)
        line = (
            f"[{bar:-<{WIDTH}}] {self._done}/{self._total} {self._unit}, {elapsed_s:.0f} s, about {left_s:.0f} s left"
        )
        end = "\n" if self._done == self._total or not self._terminal else ""
        sys.stderr.write(f"\r{line}\x1b[K{end}" if self._terminal else f"{line}\n")
        sys.stderr.flush()
