"""The outside world turned into records: files today, feeds and pages next.

Imports ``schemas`` only; never a processor, never Kafka.
"""
