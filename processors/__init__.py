"""Records in, records out: extraction, cleaning, dates, datelines, metadata, entities.

Pure: no I/O, no event loop, no clock, no environment. What depends on the moment (``now``) is a
parameter. import-linter holds this in CI.
"""
