cimport cython


cdef class Envelopes:
    cdef public int mode
    cdef public int instance
    cdef public int n
    cdef public bint wide
    cdef public long long instant
    cdef public bint dated
    cdef unsigned char[::1] text
    cdef const unsigned char[::1] prefixes
    cdef int[::1] prefix_ends
    cdef bint enter(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    @cython.final
    cdef bint _copied(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    @cython.final
    cdef bint _compose(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    @cython.final
    cdef bint _cri(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    @cython.final
    cdef bint _json(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    @cython.final
    cdef int _unescaped(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    @cython.final
    cdef int _escaped(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    @cython.final
    cdef int _stamp(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil


cdef int put_character(unsigned char[::1] out, int n, int value) noexcept nogil
