"""The layout of the scanner's tables and programs: column numbers and codes, as plain integers."""

# Columns of the record table, int32[n, REC_WIDTH + 2 * n_extra].
R_START, R_END, R_KIND, R_ZONE, R_LEVEL = 0, 1, 2, 3, 4
R_NAME, R_NAME_END, R_MSG, R_MSG_END = 5, 6, 7, 8
R_REQUEST_ID, R_REQUEST_ID_END, R_TRACEBACK, R_EVENT = 9, 10, 11, 12
R_EVENT_START, R_EVENT_END, R_PAIR, R_PAIRS, R_LOW = 13, 14, 15, 16, 17
REC_WIDTH = 18

# Columns of the pair table, int32[p, PAIR_WIDTH].
P_KEY, P_KEY_END, P_VALUE, P_VALUE_END, P_FLAGS, P_CODE, P_RECORD = 0, 1, 2, 3, 4, 5, 6
PAIR_WIDTH = 7
QUOTED, ESCAPED = 1, 2

# Kinds of a record.
K_HEADER, K_HEADERLESS, K_TRACEBACK, K_NO_HEADER, K_BAD_TIME, K_TOO_LONG = 0, 1, 2, 3, 4, 5

# Header fields, asctime steps: formats.py writes programs of these.
F_ASCTIME, F_LEVEL, F_NAME, F_MESSAGE, F_REQUEST_ID = 1, 2, 3, 4, 5
F_DIGITS, F_MSECS, F_CREATED, F_TEXT = 6, 7, 8, 9
T_YEAR, T_MONTH, T_DAY, T_HOUR, T_MINUTE, T_SECOND, T_FRACTION = 1, 2, 3, 4, 5, 6, 7
T_ZONE, T_CHAR, T_MONTH_NAME, T_SEPARATOR, T_MAYBE_FRACTION = 8, 9, 10, 11, 12
T_MAYBE_ZONE, T_YEAR2, T_HOUR12, T_AMPM, T_LETTERS = 13, 14, 15, 16, 17

L_NONE, L_DEBUG, L_INFO, L_WARNING, L_ERROR, L_CRITICAL = 0, 1, 2, 3, 4, 5
NO_ZONE = -100000  # minutes; the stamp carries no zone
# Where a record's traceback stands: among its frames, behind its exception line, between two of a
# chain.
TB_FRAMES, TB_ENDED, TB_CHAINED = 1, 2, 3
LOOKAHEAD = 4  # look-alike beginnings that an open quoted text may hold (docs/parsing.md)

# What became of a pair's value as a number: it is none, it is one, its digits need exact
# arithmetic, nobody has looked yet.
V_BAD, V_OK, V_SLOW, V_UNREAD = 0, 1, 2, 3
# Names compared with bytes at once: numbers of each, how many bytes such a comparison may read.
NAME_WORDS, NAME_BYTES = 5, 24

# What a byte may be, as flags: of an identifier, its first one, white space.
C_IDENT, C_FIRST, C_SPACE = 1, 2, 4
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
CHARACTERS = bytes(
    (c in _LETTERS + b"0123456789.-") * C_IDENT
    | (c in _LETTERS) * C_FIRST
    | (c in b" \t\n\v\f\r") * C_SPACE
    for c in range(256)
)
