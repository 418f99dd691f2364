cimport cython

from ingest.compiled.buffer cimport Bytes
from ingest.compiled.headers cimport Headers
from ingest.compiled.pairs cimport Pairs
from ingest.compiled.usual cimport Usual


@cython.final
cdef class Scanner(Bytes):
    cdef public int n_records
    cdef public int n_pairs
    cdef public bint giant
    cdef public bint foreign
    cdef Headers headers
    cdef Pairs pairs
    cdef Usual usual
    cdef bint is_cut
    cdef char[::1] states
    cdef int[:, ::1] records
    cdef int *cells
    cdef int width
    cdef long long[::1] stamps
    cdef int max_record
    cdef int cur
    cdef int cur_traceback
    cdef int traceback_state
    cdef int text_from
    cdef bint is_torn
    cdef bint full
    cdef int _scan(self, int start, bint final, bint first) noexcept nogil
    cdef int _usual(self, int pos) noexcept nogil
    cdef void _forget_usual(self) noexcept nogil
    cdef int _take(self, int pos, int nl, int after, bint final) noexcept nogil
    cdef int _real_kind(self, int kind, int line, int stop, int absorbed) noexcept nogil
    cdef bint _before_endless(self, int pos) noexcept nogil
    cdef bint _is_giant(self, int pos) noexcept nogil
    cdef bint _ends_in_blank(self, int line, int stop) noexcept nogil
    cdef int _solid(self, int pos, int stop) noexcept nogil
    cdef bint _is_mild(self, int line, int stop) noexcept nogil
    cdef bint _in_text(self) noexcept nogil
    cdef bint _goes_on(self, int line, int stop) noexcept nogil
    cdef bint _is_exception(self, int line, int stop) noexcept nogil
    cdef void _open(self, int kind, int line, int stop, int after, int low) noexcept nogil
    cdef bint _is_torn(self, int kind, int line, int stop) noexcept nogil
    cdef bint _holds_header(self, int line, int end, int stop) noexcept nogil
    cdef bint _is_glued(self, int line, int stop) noexcept nogil
    cdef bint _continue(self, int line, int stop, int after) noexcept nogil
    cdef bint _finish(self) noexcept nogil
    cdef int _absorb(self, int start, bint final) noexcept nogil
    cdef int _look_ahead(self, int start, bint final) noexcept nogil
    cdef int _kind_at(self, int pos, int nl) noexcept nogil
    cdef int _add_given(self, int i, int start, int[:, ::1] given) noexcept nogil
