"""The listening test: thresholds of a person for the sounds of a preset, on a page of its own."""
