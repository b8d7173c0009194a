"""Reads every log event of a data directory with the SQL of docs/log-files.md, and compares it with what was written."""

import json
import pathlib
import re
import sys

import duckdb

data, expected = pathlib.Path(sys.argv[1]), json.load(open(sys.argv[2]))
page = (pathlib.Path(__file__).parents[3] / "docs" / "log-files.md").read_text()
macro = re.search(r"CREATE MACRO .*?;\n", page, re.S).group(0)

connection = duckdb.connect()
connection.execute(macro)
files = str(data / "segments" / "log-events" / "*")
rows = connection.execute(
    "SELECT log_stream, epoch_ms(timestamp), log_message(event) "
    "FROM read_parquet(?, union_by_name = true) AS event",
    [files],
).fetchall()
if sorted(map(list, rows)) != sorted(expected):
    sys.exit(f"{len(rows)} events are in the files, {len(expected)} were written, and they are not the same")
shaped, statuses = connection.execute(
    'SELECT count(shape), sum("$.http.status"::BIGINT) FROM read_parquet(?, union_by_name = true)', [files]
).fetchone()
wanted = sum(json.loads(message)["http"]["status"] for _, _, message in expected if message.startswith("{"))
if not shaped or statuses != wanted:
    sys.exit(f"{shaped} events have a shape, and the fields add up to {statuses} instead of {wanted}")
print(f"DuckDB {duckdb.__version__} read {len(rows)} events, {shaped} of them by their shape")
