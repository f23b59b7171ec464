"""Wiring: configuration, Kafka, Faust workers, the embedded broker and the command line."""
