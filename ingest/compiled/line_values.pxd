cimport cython

from ingest.compiled.masks cimport Masker
from ingest.compiled.objects cimport Objects


cdef class LineValues:
    cdef public Masker masker
    cdef public Objects objects
    cdef public int n_bytes
    cdef int[::1] code
    cdef long long[:, ::1] fresh
    cdef unsigned char[::1] out
    cdef int[::1] consts
    cdef int[::1] told
    cdef const unsigned char[::1] head
    @cython.final
    cdef bint _between(self, long long begun, long long ended, int k) noexcept nogil
    @cython.final
    cdef bint _member(self, int at, int k) noexcept nogil
    cdef bint _values(self, int at, int n) noexcept nogil
    @cython.final
    cdef bint _text(self, int at, int k) noexcept nogil
    @cython.final
    cdef bint _number(self, int at, int k) noexcept nogil
    @cython.final
    cdef int _edge(self, int token, int delta) noexcept nogil
    @cython.final
    cdef bint _is_tiny(self, int i) noexcept nogil
    @cython.final
    cdef void _id(self, int k, long long offset) noexcept nogil
