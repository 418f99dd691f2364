cimport cython

from ingest.compiled.masks cimport Masker


@cython.final
cdef class Objects:
    cdef public bint lacks
    cdef int key_at
    cdef int key_end
    cdef int key_kind
    cdef int n_keys
    cdef int[::1] slots
    cdef int[::1] ends
    cdef unsigned char[::1] kinds
    cdef unsigned char[::1] names
    cdef bint shape(self, Masker m) noexcept nogil
    cdef bint has_moment(self, Masker m, int token) noexcept nogil
    cpdef bint is_below_zero(self, Masker m) noexcept nogil
    cdef int copied(self, Masker m, int token, unsigned char[::1] out, int n) noexcept nogil
    cdef int rounded(self, Masker m, int token, int shift, unsigned char[::1] out, int n) noexcept nogil
    cdef int _value(self, Masker m, int i, int kind, int depth) noexcept nogil
    cdef int _members(self, Masker m, int i, int depth) noexcept nogil
    cdef int _elements(self, Masker m, int i, int kind, int depth) noexcept nogil
    cdef int _spaces(self, Masker m, int i) noexcept nogil
    cdef int _kept(self, Masker m, int i, int end) noexcept nogil
    cdef int _marked(self, Masker m, int mark, int i, int end) noexcept nogil
    cdef int _number(self, Masker m, int i, int kind) noexcept nogil
    cdef int _string(self, Masker m, int i, int kind) noexcept nogil
    cdef int _key(self, Masker m, int i) noexcept nogil
    cdef int _slot(self, Masker m) noexcept nogil
    cdef int _escape(self, Masker m, int i) noexcept nogil
    cdef int _hexes(self, Masker m, int i) noexcept nogil
    cdef int _beyond(self, Masker m, int i) noexcept nogil
    cdef bint _is_id(self, Masker m, int i, int end) noexcept nogil
    cdef bint _is_stamp(self, Masker m, int i, int end) noexcept nogil
    cdef bint _since(self, Masker m, int i, int end) noexcept nogil
    cdef int _unescaped(self, Masker m, int i, int end, unsigned char[::1] out, int n) noexcept nogil
    cdef int _real(self, Masker m, int i, int end, unsigned char[::1] out, int n) noexcept nogil
    cdef bint _since_real(self, Masker m, int i, int end) noexcept nogil
    cdef bint _is_shortest(self, Masker m, int i, int end, int digits) noexcept nogil
