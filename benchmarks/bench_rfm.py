"""RFM of generated orders in Parquet: wall time and peak memory beside DuckDB's SQL, Polars, pandas and Spark.

Run `python benchmarks/bench_rfm.py [millions ...]` (default 1 and 10; 100 takes 0.9 GB of disk and some minutes). There
is a customer to every ten orders, up to a million, so that from ten million on only the orders grow. Every tool makes
the same two tables in a process of its own: recency, frequency and monetary value, then their quintile scores, counted
down to the last customer so that nothing is left undone. Aims: within 1.3 times the time of plain DuckDB SQL, memory
that does not grow with the number of orders, time in proportion to it. `--peers crmlab,duckdb` chooses tools.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PEERS = ("duckdb", "crmlab", "polars", "pandas", "spark", "crmlab-spark")
#: pandas holds all orders in memory at once (8 GiB for 100 million); above this many millions it is left out.
MOST_FOR_PANDAS = 100

_TABLE = """
    SELECT customer_id, date_diff('day', max(date), DATE '2025-12-31') AS recency_days, count(*) AS frequency,
           sum(amount) AS monetary
    FROM read_parquet('{orders}') WHERE date <= DATE '2025-12-31' GROUP BY customer_id
"""
# The inverse distribution function, as crmlab has it, so that equal values have equal scores.
_SCORE = """
    WITH q AS (SELECT quantile_disc(-recency_days, [0.2, 0.4, 0.6, 0.8]) AS r,
                      quantile_disc(frequency, [0.2, 0.4, 0.6, 0.8]) AS f,
                      quantile_disc(monetary, [0.2, 0.4, 0.6, 0.8]) AS m FROM measured)
    SELECT customer_id, recency_days, frequency, monetary, {scores} FROM measured, q
"""
_COLUMNS = {"r": "-recency_days", "f": "frequency", "m": "monetary"}


def generate(n: int, path: Path) -> None:
    """Orders of two years: customer, day, and amounts in cents."""
    import duckdb

    duckdb.sql(
        f"""COPY (SELECT (hash(i) % {min(n // 10, 1_000_000)})::BIGINT AS customer_id,
                   DATE '2024-01-01' + (hash(i + 1) % 731)::INTEGER AS date,
                   (hash(i + 2) % 20000 + 100) / 100.0::DOUBLE AS amount
            FROM range({n}) AS orders(i)) TO '{path}' (FORMAT parquet)"""
    )


def with_crmlab(orders: str, engine: str | None = None) -> tuple[int, Callable[[], int]]:
    """Number of customers, and what scores them."""
    from crmlab import Transactions, rfm

    table = rfm.table(Transactions(orders, engine=engine))
    return len(table), lambda: int(rfm.score(table, "quantile")["m"].sum())


def with_duckdb(orders: str) -> tuple[int, Callable[[], int]]:
    import duckdb

    connection = duckdb.connect()
    measured = connection.sql(_TABLE.format(orders=orders)).df()

    def score() -> int:
        connection.register("measured", measured)
        scores = ", ".join(
            f"1 + {' + '.join(f'({value} > q.{name}[{k}])::BIGINT' for k in range(1, 5))} AS {name}"
            for name, value in _COLUMNS.items()
        )
        return int(connection.sql(_SCORE.format(scores=scores)).df()["m"].sum())

    return len(measured), score


def with_polars(orders: str) -> tuple[int, Callable[[], int]]:
    import polars as pl

    last = pl.date(2025, 12, 31)
    measured = (
        pl.scan_parquet(orders)
        .filter(pl.col("date") <= last)
        .group_by("customer_id")
        .agg(
            recency_days=(last - pl.col("date").max()).dt.total_days(),
            frequency=pl.len(),
            monetary=pl.col("amount").sum(),
        )
        .collect(engine="streaming")
    )

    def score() -> int:
        rank = pl.col("monetary").rank("min") - 1
        scored = measured.with_columns(
            r=1 + ((-pl.col("recency_days")).rank("min") - 1) * 5 // pl.len(),
            f=1 + (pl.col("frequency").rank("min") - 1) * 5 // pl.len(),
            m=1 + rank * 5 // pl.len(),
        )
        return int(scored["m"].sum())

    return len(measured), score


def with_pandas(orders: str) -> tuple[int, Callable[[], int]]:
    import pandas as pd

    groups = pd.read_parquet(orders).groupby("customer_id")
    measured = groups.agg(date=("date", "max"), frequency=("date", "size"), monetary=("amount", "sum"))
    measured["recency_days"] = (pd.Timestamp("2025-12-31") - pd.to_datetime(measured["date"])).dt.days

    def score() -> int:
        signed = {"r": -measured["recency_days"], "f": measured["frequency"], "m": measured["monetary"]}
        scored = pd.DataFrame({k: 1 + (v.rank(method="min") - 1) * 5 // len(v) for k, v in signed.items()})
        return int(scored["m"].sum())

    return len(measured), score


def with_spark(orders: str) -> tuple[int, Callable[[], int]]:
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as F

    session = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    lines = session.read.parquet(orders)
    measured = lines.groupBy("customer_id").agg(
        F.datediff(F.lit("2025-12-31").cast("date"), F.max("date")).alias("recency_days"),
        F.count("*").alias("frequency"),
        F.sum("amount").alias("monetary"),
    )
    frame = measured.toArrow().to_pandas()

    def score() -> int:
        here = session.createDataFrame(frame)
        ranks = {"r": -F.col("recency_days"), "f": F.col("frequency"), "m": F.col("monetary")}
        for name, value in ranks.items():
            rank = F.rank().over(Window.orderBy(value))
            here = here.withColumn(name, 1 + F.floor((rank - 1) * 5 / len(frame)))
        return int(here.toArrow().to_pandas()["m"].sum())

    return len(frame), score


def measure(peer: str, orders: str, warm_up: str) -> dict[str, float]:
    """Seconds of both steps in this process, after imports and a few orders to warm up, and its peak memory in GiB."""
    engine = {"crmlab": "duckdb", "crmlab-spark": "spark"}
    if peer in engine:
        from crmlab import Transactions, rfm  # noqa: F401
    else:
        __import__({"spark": "pyspark.sql"}.get(peer, peer))
        import pandas  # noqa: F401
    others = {"duckdb": with_duckdb, "polars": with_polars, "pandas": with_pandas, "spark": with_spark}

    def run(path: str) -> tuple[int, Callable[[], int]]:
        return with_crmlab(path, engine[peer]) if peer in engine else others[peer](path)

    run(warm_up)[1]()
    start = time.perf_counter()
    customers, score = run(orders)
    measured = time.perf_counter()
    check = score()
    done = time.perf_counter()
    own, java = (
        resource.getrusage(who).ru_maxrss / 1024**2 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    peak = own + _java_peak() if "spark" in peer else own
    return {
        "table": measured - start,
        "score": done - measured,
        "peak": max(peak, java),
        "customers": customers,
        "check": check,
    }


def _java_peak() -> float:
    """Peak memory of Spark's Java process, a child that is still running, in GiB."""
    import psutil

    peaks = []
    for child in psutil.Process().children(recursive=True):
        status = Path(f"/proc/{child.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        peaks += [int(line.split()[1]) / 1024**2 for line in lines if line.startswith("VmHWM")]
    return max(peaks, default=0.0)


def compare(millions: int, peers: list[str], folder: Path) -> None:
    orders = folder / f"orders_{millions}.parquet"
    few = folder / "few.parquet"
    generate(1_000, few)
    generate(millions * 1_000_000, orders)
    print(f"\n{millions} million orders, {orders.stat().st_size / 2**20:,.0f} MiB of Parquet, {os.cpu_count()} cores")
    print(f"{'':14}{'table':>9}{'score':>9}{'both':>9}{'× DuckDB':>10}{'peak GiB':>10}")
    against, checks = None, {}
    for peer in peers:
        if peer == "pandas" and millions > MOST_FOR_PANDAS:
            print(f"{peer:14}  left out: all orders would have to be in memory")
            continue
        done = subprocess.run(
            [sys.executable, __file__, "--one", peer, str(orders), str(few)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"{peer:14}  failed: {done.stderr.strip().splitlines()[-1][:90]}")
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        both = found["table"] + found["score"]
        against = against or both
        checks[peer] = (found["customers"], found["check"])
        seconds = f"{found['table']:8.2f}s{found['score']:8.2f}s{both:8.2f}s"
        print(f"{peer:14}{seconds}{both / against:10.2f}{found['peak']:10.2f}", flush=True)
    # Sums of money differ in the last bits from tool to tool, and so may the score of a customer at a limit.
    customers, sums = {n for n, _ in checks.values()}, [total for _, total in checks.values()]
    agree = len(customers) == 1 and max(sums) - min(sums) <= 1e-4 * max(sums)
    print("all agree on the customers and their scores" if agree else f"they differ: {checks}")
    orders.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millions", nargs="*", type=int, default=[1, 10])
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--one", nargs=3, metavar=("PEER", "FILE", "WARM_UP"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(*given.one)))
        return
    folder = Path(tempfile.mkdtemp(prefix="bench-rfm-"))
    try:
        for millions in given.millions:
            compare(millions, given.peers.split(","), folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
