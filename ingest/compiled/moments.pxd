cdef int two(const unsigned char[::1] text, int i) noexcept nogil
cdef long long day_of(int year, int month, int day) noexcept nogil
cdef long long date_at(const unsigned char[::1] text, int i) noexcept nogil
cdef int second_at(const unsigned char[::1] text, int i) noexcept nogil
cdef long long instant_of(long long day, int second) noexcept nogil
cdef int digits_at(const unsigned char[::1] text, int i, int stop) noexcept nogil
cdef int micros_at(const unsigned char[::1] text, int i, int n) noexcept nogil
cdef int zone_at(const unsigned char[::1] text, int i) noexcept nogil
