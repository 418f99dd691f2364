cimport cython

from ingest.compiled.buffer cimport Bytes


@cython.final
cdef class Stamps(Bytes):
    cdef int[:, ::1] clock
    cdef int n_steps
    cdef bint is_plain
    cdef int year, month, day, hour, minute, second, half
    cdef long long micros
    cdef long long stamp
    cdef int zone
    cdef bint is_bad
    cdef void forget(self) noexcept nogil
    cdef int read(self, int start, int stop) noexcept nogil
    cdef int created(self, int pos, int stop) noexcept nogil
    cdef int _plain(self, int pos, int stop) noexcept nogil
    cdef int _step(self, int step, int wanted, int pos, int stop) noexcept nogil
    cdef int _part(self, int step, int pos, int stop) noexcept nogil
    cdef int _fraction(self, int pos, int stop) noexcept nogil
    cdef int _zone(self, int start, int stop) noexcept nogil
    cdef int _month_name(self, int pos, int stop) noexcept nogil
    cdef int _half_day(self, int pos, int stop) noexcept nogil
    cdef int _letters(self, int start, int stop) noexcept nogil
    cdef void _settle(self) noexcept nogil


cdef long long days(long long year, long long month, long long day) noexcept nogil
cdef int month_days(int year, int month) noexcept nogil
