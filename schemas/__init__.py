"""What crosses a topic: records, topic table, codec, errors, and the published contract.

The floor of the house: imports the standard library, msgspec and orjson, and nothing of ours.
"""
