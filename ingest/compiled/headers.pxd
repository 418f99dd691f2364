cimport cython

from ingest.compiled.buffer cimport Bytes
from ingest.compiled.stamps cimport Stamps


@cython.final
cdef class Headers(Bytes):
    cdef Stamps stamps
    cdef int[:, ::1] program
    cdef int n_fields
    cdef const unsigned char[::1] literals
    cdef int suffix, suffix_len
    cdef int max_record
    cdef int[::1] scratch
    cdef int level, message, message_end
    cdef int msecs
    cdef bint may_recall, has_day, is_recalled
    cdef int n_recalled, next_recalled, last_recalled
    cdef unsigned char[::1] day
    cdef long long midnight
    cdef unsigned long long day_first, day_last
    cdef unsigned char[::1] prefixes
    cdef unsigned char *prefix
    cdef int[::1] lengths
    cdef int[:, ::1] recalled
    cdef int *recalled_cells
    cdef int begins(self, int line, int stop) noexcept nogil
    cdef bint begins_traceback(self, int line, int stop) noexcept nogil
    cdef void take_headerless(self, int kind, int line, int stop) noexcept nogil
    cdef bint _headerless(self, int line, int stop) noexcept nogil
    cdef int _level(self, int pos, int end) noexcept nogil
    cdef int _level_in_any_case(self, int pos, int end) noexcept nogil
    cdef bint _spells(self, int pos, const unsigned char *word, int length) noexcept nogil
    cdef bint _header(self, int line, int stop) noexcept nogil
    cdef bint _recall(self, int line, int stop) noexcept nogil
    cdef void _remember(self, int line, int stop) noexcept nogil
    cdef bint _literal(self, int pos, int stop, int at, int n) noexcept nogil
    cdef bint _fields(self, int first, int start, int stop) noexcept nogil
    cdef bint _message(self, int i, int pos, int stop) noexcept nogil
    cdef void _forget(self, int first) noexcept nogil
    cdef int _field(self, int i, int kind, int pos, int stop) noexcept nogil
    cdef int _fixed(self, int i, int kind, int start, int stop) noexcept nogil
    cdef int _text_end(self, int i, int pos, int stop) noexcept nogil
    cdef int _digits(self, int i, int kind, int start, int stop) noexcept nogil
    cdef void _extra(self, int i, int begin, int end) noexcept nogil
