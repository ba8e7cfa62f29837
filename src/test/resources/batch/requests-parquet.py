"""Writes requests.parquet, as pandas and others do: compressed with snappy, texts in a dictionary."""
import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table({
    "note": pa.array([1.5, None, 2.5, None, 3.5]),
    "id": pa.array([10, 11, None, 10, 13], pa.int64()),
    "prompt": pa.array(["In the beginning", "山 \"x\"\n", "In the beginning", "an id that was there", None]),
})
pq.write_table(table, "requests.parquet", compression="snappy", row_group_size=3)
