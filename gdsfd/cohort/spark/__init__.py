"""Spark as the engine of a build: the same statements as DuckDB's, worked out on Spark's workers.

What a statement *is* stays with DuckDB. An empty DuckDB database (the *sketch*) holds every table and view without its
rows; it checks the user's SQL, with its own words, and says which types come out. The rows are in Spark: joins, groups,
distinct rows and orders are Spark's, and every expression over one row is worked out by DuckDB itself on the workers,
on Arrow batches (``mapInArrow``). So a number, a time, a blank or a pattern means the same with both engines, whoever
wrote it.
"""
