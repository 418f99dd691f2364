cimport cython

from ingest.compiled.buffer cimport Bytes
from ingest.compiled.headers cimport Headers
from ingest.compiled.pairs cimport Pairs


@cython.final
cdef class Usual(Bytes):
    cdef Headers headers
    cdef Pairs pairs
    cdef int max_record
    cdef bint may_be_open
    cdef int event
    cdef int[::1] nexts
    cdef int *guesses
    cdef int[:, ::1] records
    cdef long long[::1] stamps
    cdef int[:, ::1] table
    cdef int *cells
    cdef double[::1] values
    cdef char[::1] states
    cdef int[::1] families
    cdef bint is_closed
    cdef int line_end
    cdef int take(self, int i, int line) noexcept nogil
    cdef inline bint _is_recalled(self, int begin) noexcept nogil
    cdef inline bint _is_prefix(self, int k, int begin) noexcept nogil
    cdef inline int _event(self, int i, int *row, int message) noexcept nogil
    cdef int _other_event(self, int i, int *row, int message) noexcept nogil
    cdef int _line_end(self, int pos) noexcept nogil
    cdef int _pairs(self, int i, int start, int *record) noexcept nogil
    cdef int _other_pair(self, int i, int pos) noexcept nogil
    cdef bint _closes(self, int *cell) noexcept nogil
