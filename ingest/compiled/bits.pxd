# What a compiler knows of bits, for modules that are compiled.
cdef extern from *:
    """
    /* Eight bytes at a place as a number, the first one lowest; the compiler makes one load of it. */
    static inline unsigned long long ttsq_eight(const unsigned char *here, Py_ssize_t pos) {
        const unsigned char *p = here + pos;
        return (unsigned long long)p[0] | (unsigned long long)p[1] << 8
            | (unsigned long long)p[2] << 16 | (unsigned long long)p[3] << 24
            | (unsigned long long)p[4] << 32 | (unsigned long long)p[5] << 40
            | (unsigned long long)p[6] << 48 | (unsigned long long)p[7] << 56;
    }
    """
    unsigned long long eight "ttsq_eight" (const unsigned char *here, Py_ssize_t pos) noexcept nogil
    int trailing_zeros "__builtin_ctzll" (unsigned long long word) noexcept nogil
    void prefetch "__builtin_prefetch" (const void *address) noexcept nogil
