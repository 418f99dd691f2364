cimport cython

from ingest.compiled.texts cimport Texts


@cython.final
cdef class Masker(Texts):
    cdef public int length
    cdef public int n_tokens
    cdef public long long local
    cdef public unsigned long long hash
    cdef public bint zoned
    cdef public bint lacks
    cdef public object tell
    cdef bint leads
    cdef int quote
    cdef int told
    cdef int path_at
    cdef int path_end
    cdef int target_end
    cdef int asked_end
    cdef int[::1] path_slots
    cdef int[::1] path_ends
    cdef unsigned char[::1] path_kinds
    cdef unsigned char[::1] path_bytes
    cdef int n_paths
    cdef unsigned char[::1] mask
    cdef int[::1] starts
    cdef int[::1] ends
    cdef int[::1] wholes
    cdef int[::1] marks
    cdef void hashed(self) noexcept nogil
    cpdef bint is_braced(self) noexcept nogil
    cdef bint shape(self) noexcept nogil
    cdef bint _has_text(self, int i) noexcept nogil
    cdef bint _is_behind(self, int start) noexcept nogil
    cdef int _number(self, int i) noexcept nogil
    cdef bint _is_part(self, int i) noexcept nogil
    cdef int _own_stamp(self) noexcept nogil
    cdef void _put(self, int c) noexcept nogil
    cdef bint _is_alone(self, int i, int end) noexcept nogil
    cdef void _token(self, int mark, int start, int end) noexcept nogil
    cdef void _request(self) noexcept nogil
    cdef int _next_quote(self, int i) noexcept nogil
    cdef bint _is_request(self, int i) noexcept nogil
    cdef bint _is_asked_for(self, int k) noexcept nogil
    cdef int _part(self, int i) noexcept nogil
    cdef bint _is_gap(self, int i) noexcept nogil
    cdef int _asked(self) noexcept nogil
    cdef int _path_slot(self) noexcept nogil
    cdef int _quoted(self, int i) noexcept nogil
    cdef int _words(self, int i, int end) noexcept nogil
    cdef int _word(self, int i) noexcept nogil
    cdef int _marked(self, int mark, int i, int end) noexcept nogil
    cdef int _boxed(self, int i) noexcept nogil
    cdef int _month(self, int i) noexcept nogil
