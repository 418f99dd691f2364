cdef class Bytes:
    cdef const unsigned char[::1] data
    cdef const unsigned char[::1] characters
    cdef const unsigned char *base
    cdef const unsigned char *kinds
    cdef int end
    cdef int find(self, int byte, int pos, int end) noexcept nogil
    cdef int newline(self, int pos) noexcept nogil
    cdef bint starts(self, int pos, int stop, const unsigned char *word, int length) noexcept nogil
    cdef int number(self, int pos, int stop, int n) noexcept nogil
    cdef int trim_cr(self, int line, int end) noexcept nogil
    cdef int skip_fill(self, int line, int end) noexcept nogil
    cdef int stamp_from(self, int pos, int end) noexcept nogil
