"""What a run stores: names, shapes and bytes, which training writes and reading reads."""
