"""Files of items (Ion, one item each row) to other formats and back: CSV, JSON, XML, Avro, Excel, Parquet."""
