cimport cython


@cython.final
cdef class Masker:
    cdef public int mode
    cdef public int instance
    cdef public int n
    cdef public int length
    cdef public int n_tokens
    cdef public bint wide
    cdef public long long instant
    cdef public bint dated
    cdef public long long local
    cdef public unsigned long long hash
    cdef unsigned char[::1] text
    cdef unsigned char[::1] mask
    cdef int[::1] starts
    cdef int[::1] ends
    cdef int[::1] wholes
    cdef const unsigned char[::1] prefixes
    cdef int[::1] prefix_ends
    cdef bint enter(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    cdef bint _copied(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    cdef bint _compose(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    cdef bint _cri(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    cdef bint _json(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    cdef int _unescaped(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    cdef int _escaped(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    cdef int _stamp(self, const unsigned char[::1] data, int pos, int stop) noexcept nogil
    cdef bint is_bars(self) noexcept nogil
    cdef int _bar(self, int i) noexcept nogil
    cdef bint shape(self) noexcept nogil
    cdef int _number(self, int i) noexcept nogil
    cdef bint _is_part(self, int i) noexcept nogil
    cdef int _own_stamp(self) noexcept nogil
    cdef int _two(self, int i) noexcept nogil
    cdef void _put(self, int c) noexcept nogil
