cimport cython

from ingest.compiled.line_values cimport LineValues


@cython.final
cdef class Learnt(LineValues):
    cdef public object anywhere
    cdef int[::1] _anywhere
    cdef public object moments
    cdef int[::1] _moments
    cdef public object asks
    cdef unsigned char[::1] _asks
    cdef public object hold
    cdef unsigned char[::1] _hold
    cdef public object ends
    cdef unsigned char[::1] _ends
    cdef public object calm
    cdef unsigned char[::1] _calm
    cdef public int reason
    cdef public int template
    cdef public int instance
    cdef public int size
    cdef public bint ascii_only
    cdef public bint stamped
    cdef public bint may_date
    cdef public long long last
    cdef public int source
    cdef public long long offset
    cdef public long long low
    cdef public long long high
    cdef public object own
    cdef unsigned char[::1] _own
    cdef public int n_rows
    cdef public int n_pairs
    cdef public object table
    cdef public object next
    cdef public object state
    cdef public object count
    cdef public object registers
    cdef public object counts
    cdef public object uses
    cdef public object named
    cdef int n_templates
    cdef int[::1] _table
    cdef unsigned long long[::1] hashes
    cdef int[::1] mask_ends
    cdef unsigned char[::1] masks
    cdef int[:, ::1] limits
    cdef int[:, ::1] _next
    cdef int code_end
    cdef int[::1] _state
    cdef long long[::1] _count
    cdef long long[:, ::1] _registers
    cdef long long[::1] _counts
    cdef long long[::1] _uses
    cdef long long[:, ::1] _named
    cdef int[:, ::1] rows
    cdef int[:, ::1] pairs
    cdef long long[:, ::1] places
    cdef int _run(self, const unsigned char[::1] data, int pos, long long base) noexcept nogil
    cdef bint _enters(self, const unsigned char[::1] data, int pos, int nl) noexcept nogil
    cdef int _found(self) noexcept nogil
    cdef bint _is_whole(self, const unsigned char[::1] data, int pos, int nl) noexcept nogil
    cdef bint _line(self, long long offset, int size) noexcept nogil
    cdef int _find(self) noexcept nogil
    cdef bint _object(self, long long offset, int size) noexcept nogil
    cdef bint _object_done(self, int at, long long offset, int size) noexcept nogil
    cdef bint _may_be_dated(self) noexcept nogil
    cdef bint _is_same(self, int start) noexcept nogil
    cdef bint _is_within(self, int template) noexcept nogil
    cdef void _registered(self, int n, long long offset, long long end) noexcept nogil
    cdef int _record(self, int at) noexcept nogil
    cdef void _move(self, int at, int n) noexcept nogil
    cdef void _dated(self) noexcept nogil
    cdef void _tally(self, int kind, long long size) noexcept nogil
