cimport cython

from ingest.compiled.envelopes cimport Envelopes


cdef class Bars(Envelopes):
    cdef unsigned char[::1] heads
    cdef int[::1] head_sizes
    cdef int[::1] heads_full
    cdef bint is_full
    cdef bint is_bars(self) noexcept nogil
    @cython.final
    cdef int _bar(self, int i, int number) noexcept nogil
    @cython.final
    cdef int _bar_head(self, int i, int number) noexcept nogil
