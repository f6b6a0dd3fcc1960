"""Callbacks and loggers for trainers that other people wrote: import the one that you need."""
