cimport cython

from ingest.compiled.buffer cimport Bytes


@cython.final
cdef class Pairs(Bytes):
    cdef int[:, ::1] records
    cdef int[:, ::1] table
    cdef int *cells
    cdef int n
    cdef const unsigned char[::1] event_text
    cdef int[::1] event_at
    cdef int n_events
    cdef int n_keys
    cdef int[::1] follows
    cdef int *guesses
    cdef unsigned long long[::1] event_words
    cdef unsigned long long[::1] key_words
    cdef unsigned long long *event_cells
    cdef unsigned long long *key_cells
    cdef const unsigned char[::1] key_text
    cdef int[::1] key_at
    cdef int[::1] key_bucket
    cdef int[::1] key_next
    cdef int[::1] key_shape
    cdef int text_key
    cdef bint escapes
    cdef bint is_torn
    cdef int none, before  # where guesses of a message's event are, and that of its next key
    cdef int key_end
    cdef int event(self, int i, int pos, int end) noexcept nogil
    cdef bint _is_event(self, int j, int pos, int end) noexcept nogil
    cdef int _guessed(self, int code, int pos, int end) noexcept nogil
    cdef bint cut(self, int i, int start, int end) noexcept nogil
    cdef void expect(self, int event) noexcept nogil
    cdef int take(self, int i, int pos, int end) noexcept nogil
    cdef int _found(self, int pos, int end) noexcept nogil
    cdef bint text_open(self, int pos, int end) noexcept nogil
    cdef bint closes(self, int pos, int end) noexcept nogil
    cdef bint dangling(self, int pos, int stop) noexcept nogil
    cdef int _key(self, int start, int end) noexcept nogil
    cdef bint _follows(self, int pos, int end) noexcept nogil
    cdef int _quoted(self, int row, int start, int end, bint last) noexcept nogil
    cdef int _bare(self, int row, int start, int end, int whole) noexcept nogil
    cdef bint _stamp_before(self, int comma, int low, int end) noexcept nogil
    cdef bint _may_close(self, int pos, int end) noexcept nogil
