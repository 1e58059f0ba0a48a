"""Archives of many fields counted again on Dask (docs/recount.md). Dask, fsspec and pyarrow are imported late."""
