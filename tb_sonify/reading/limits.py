"""Bounds on what a request may ask for, on the work done at a time, and on what is kept in memory.

`docs/limits.md` names each of them with its value, and `tests/test_limits.py` compares the two.
"""

from tb_sonify.schema.notes import CHUNK_VALUES as CHUNK_VALUES  # of the work done at a time

MIB = 2**20

# What a request may ask for. Where an argument is bounded, docs/openapi.yaml has the same figure.
MAX_CLIP_NOTES = 10_000
MAX_CLIP_FRAMES = 8_000_000  # some minutes; a clip ends there
MAX_TABLE_NOTES = 1_000  # of the numbers of notes
MAX_TABLE_VALUES = 500_000  # notes times layers of it
MAX_CSV_LINES = 100_000
MAX_CURVE_POINTS = 20_000
MAX_HEATMAP_COLUMNS = 4_000
MAX_HEATMAP_CELLS = 4_000_000  # columns times layers; 4 bytes each are sent
MAX_HEARD_COLUMNS = 4_000  # 26 bytes for each stream of them are sent
MAX_STRIP_COLUMNS = 4_000  # of strips of the loss landscape
MAX_SURFACE_CELLS = 1_000_000  # 8 bytes each are sent
MAX_LIVE_RUNS = 200  # whose newest rows are looked at first
MAX_WATCHED_RUNS = 2  # as many as the dashboard shows side by side
MAX_MERGED_NOTES = 4_096  # into one
MAX_STREAM = 31  # a preset has fewer
MAX_STEP = 1e19  # beyond any that TensorBoard can hold
MAX_COUNT = 10**15  # of notes, or of the steps of an epoch
MAX_SCALE_VALUE = 1e300  # so that the width of a scale is finite, too
MAX_FILE_NAME = 120  # characters; a file system allows 255 bytes
MAX_KEY_DIGITS = 12  # of the number of notes in a key of `coverage`
MAX_SELECTION_VALUES = 20_000_000  # notes times layers, merged or aligned; a third of a gigabyte
MAX_EXPANDED_ROWS = 10_000
MAX_EXPANDED_VALUES = 4_000_000  # rows times layers

# The work done at a time.
SMALL_VALUES = 500_000  # at most, of small work, which takes some tens of milliseconds
SMALL_SLOTS = 8
LARGE_SLOTS = 1
PATIENCE_SECONDS = 60.0  # for a slot
CHUNK_FRAMES = 250_000  # of a sound; ten seconds
CHUNK_CELLS = 5_000  # of CSV
PHASE_VALUES = 500_000  # notes times layers whose phases are computed at a time
RESAMPLED_VALUES = 4_000_000  # gathered at a time where notes are merged

# How often and how the data provider is called.
REFRESH_SECONDS = 1.0
QUICK_SECONDS = 0.2  # what takes longer to read is read again less often
REFRESH_FACTOR = 5  # a value is kept so many times as long as it took to read
LISTING_FACTOR = 20  # the same of a list of scalars
READ_THREADS = 8  # much of a read is waiting for the data server
READ_AHEAD_BLOBS = 32
TAGS_AT_ONCE = 256
EXAMINE_SECONDS = 0.5  # at a time, for problems of all runs
MAX_POINTS = 1_000_000  # of a series; the provider wants a number
MAX_SCALAR_VALUES = 8_000_000  # points times scalars read together
CALL_SECONDS = 20.0  # of a data server; less than the dashboard waits
SETTLED_SECONDS = 10.0  # without anything new; of a long run, a server shows more every 5 s
RETRY_SECONDS = 1
MAX_BACKOFF_SECONDS = 5  # between two attempts to connect
MESSAGE_BYTES = 256 * MIB  # of a message of the data server; as TensorBoard has it

# What is read of a run.
MAX_LAYERS = 10_000
MAX_NORM_LAYERS = 2_000  # whose norms are scalars
MAX_NORM_VALUES = 8_000_000  # rows times layers made of scalars
MAX_OWN_PRESETS = 16
MAX_REPORT_CHARACTERS = 300  # of a line in the log
MAX_DESCRIBED_SCALARS = 200  # that are read to describe a run

# What is kept in memory, keys included.
TIMELINE_CACHE_BYTES = 320 * MIB
SELECTION_CACHE_BYTES = 128 * MIB  # runs heard in another way
SCALAR_TIMELINE_CACHE_BYTES = 64 * MIB
BLOB_CACHE_BYTES = 64 * MIB
POINT_CACHE_BYTES = 32 * MIB  # of single scalars
SUMMARY_CACHE_BYTES = 32 * MIB  # points of one scalar of all runs
LISTING_CACHE_BYTES = 32 * MIB  # where blobs are
PLACE_CACHE_BYTES = 32 * MIB  # which rows a blob has
MAX_COUNTED_SCALARS = 8  # alike by name, to choose the one to draw
MAX_COMPARED_RUNS = 200  # of which two are suggested by what happened in them
NAME_CACHE_BYTES = 32 * MIB  # scalars of runs
PART_CACHE_BYTES = 4 * MIB  # runs that are layers of others
END_CACHE_BYTES = 32 * MIB  # when writers were closed
PHASE_CACHE_BYTES = 32 * MIB
RUN_CACHE_BYTES = 16 * MIB
LANDMARK_CACHE_BYTES = 4 * MIB
EXTREMES_CACHE_BYTES = 4 * MIB
STATE_CACHE_BYTES = 4 * MIB
REPORT_CACHE_BYTES = 4 * MIB
