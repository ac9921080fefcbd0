"""One run of one side of a pair, in a process of its own; the last line it prints is what it took."""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

PACKAGES = Path(sys.prefix) / "bench"  # where make bench installs what only the other sides need
WARM, DATA, ANSWERS = "warm", "data", "answers"
PREPARE, EQUAL = "prepare", "equal"


def load(name: str) -> Any:
    """The module of a pair."""
    sys.path.append(str(PACKAGES))
    return importlib.import_module(f"pairs.{name}")


def main(name: str, side: str, folder: Path, size: dict[str, int]) -> None:
    """Prepare the data, compare the answers, or work on tiny data and then, timed, on the data."""
    pair = load(name)
    if side == PREPARE:
        pair.prepare(folder / WARM, pair.SIZES["tiny"])
        pair.prepare(folder / DATA, size)
    elif side == EQUAL:
        require_equal(folder / ANSWERS, exact=pair.EXACT)
    else:
        try:
            pair.SIDES[side](folder / WARM, pair.SIZES["tiny"])()
        except ModuleNotFoundError as error:
            print(f"{side} is left out: {error.name} is not installed; make bench installs it", file=sys.stderr)
            return
        print(*timed(pair, side, folder, size))


def timed(pair: Any, side: str, folder: Path, size: dict[str, int]) -> tuple[float, float]:
    """The seconds a side took, on the clock and of the processor; its answer is written, where none is there yet."""
    work = pair.SIDES[side](folder / DATA, size)
    started, processor = time.perf_counter(), _processor()
    made = work()
    took = time.perf_counter() - started, _processor() - processor
    path = folder / ANSWERS / f"{side}.parquet"
    if not path.exists() and side not in pair.ALONE:
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pair.answer(made), path)
    return took


def _processor() -> float:
    """Seconds of the processor that this process and those it waited for have taken."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def require_equal(folder: Path, *, exact: float) -> None:
    """Raise AssertionError unless all answers are the same, column by column.

    Args:
        exact: up to which relative difference floats are the same.
    """
    first, *others = sorted(folder.glob("*.parquet"))
    for other in others:
        where = f"{first.stem} and {other.stem}"
        assert pq.read_schema(first).equals(pq.read_schema(other)), f"{where} have other columns"
        for name in pq.read_schema(first).names:
            one, two = (pq.read_table(path, columns=[name])[name] for path in (first, other))
            assert len(one) == len(two), f"{where} have {len(one):,} and {len(two):,} rows"
            if one.equals(two):
                continue
            assert one.type == "double", f"{where} differ in {name}"
            assert one.is_null().equals(two.is_null()), f"{where} differ in {name}: missing values"
            apart = pc.max(pc.divide(pc.abs(pc.subtract(one, two)), pc.max_element_wise(pc.abs(one), 1e-300))).as_py()
            assert apart <= exact, f"{where} differ in {name} by {apart:.1e}"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4]))
