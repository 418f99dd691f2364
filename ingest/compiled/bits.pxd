# What a compiler knows of bits, for modules that are compiled.
cdef extern from *:
    int trailing_zeros "__builtin_ctzll" (unsigned long long word) noexcept nogil
    void prefetch "__builtin_prefetch" (const void *address) noexcept nogil
