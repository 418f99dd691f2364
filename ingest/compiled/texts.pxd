cimport cython

from ingest.compiled.bars cimport Bars


cdef class Texts(Bars):
    cdef int n_heads
    cdef unsigned char[::1] head_bytes
    cdef int[::1] head_ends
    cdef unsigned char[::1] of_length
    cdef int[::1] roots
    cdef unsigned char[::1] classes
    cdef int[:, ::1] steps
    cdef unsigned char[::1] last
    cdef public object read_on
    cdef bint unread
    cdef int state
    cdef int byte
    @cython.final
    cdef bint _is_plain(self, int i) noexcept nogil
    @cython.final
    cdef int _character_end(self, int i) noexcept nogil
    @cython.final
    cdef bint _is_nobodys(self, int i, int state) noexcept nogil
