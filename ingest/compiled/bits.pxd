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
    #ifndef TTSQ_PLAIN
    #ifdef __SSE2__
    #include <emmintrin.h>
    #define TTSQ_SSE2
    #endif
    #endif
    /* Where in 16 bytes the first one stands that may end a value: a comma or anything up to the
       quotation mark; 16 where none does. */
    static inline int ttsq_value_end(const unsigned char *p) {
    #ifdef TTSQ_SSE2
        __m128i all = _mm_loadu_si128((const __m128i *)p);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(all, _mm_set1_epi8(34)), all);
        __m128i comma = _mm_cmpeq_epi8(all, _mm_set1_epi8(44));
        return __builtin_ctz((unsigned int)_mm_movemask_epi8(_mm_or_si128(low, comma)) | 0x10000u);
    #else
        int n = 0;
        while (n < 16 && p[n] > 34 && p[n] != 44) n++;
        return n;
    #endif
    }
    /* How many of 16 bytes, from the first one on, are ASCII from 14 on, without a backslash where
       that may escape. */
    static inline int ttsq_plain(const unsigned char *p, int escaped) {
    #ifdef TTSQ_SSE2
        __m128i all = _mm_loadu_si128((const __m128i *)p);
        __m128i fits = _mm_cmpgt_epi8(all, _mm_set1_epi8(13));  /* as signed: none above 127 is */
        if (escaped) fits = _mm_andnot_si128(_mm_cmpeq_epi8(all, _mm_set1_epi8(92)), fits);
        return __builtin_ctz(~(unsigned int)_mm_movemask_epi8(fits) | 0x10000u);
    #else
        int n = 0;
        while (n < 16 && p[n] > 13 && p[n] < 128 && !(escaped && p[n] == 92)) n++;
        return n;
    #endif
    }
    /* How many of 15 bytes, from the first one on, are characters of three bytes whatever the second
       one of each: of U+1000 to U+CFFF. 16 can be read. */
    static inline int ttsq_threes(const unsigned char *p) {
    #ifdef TTSQ_SSE2
        const char l = (char)0xE1, h = (char)0xEC, c = (char)0x80, d = (char)0xBF;
        __m128i all = _mm_loadu_si128((const __m128i *)p);
        __m128i least = _mm_setr_epi8(l, c, c, l, c, c, l, c, c, l, c, c, l, c, c, 0);
        __m128i most = _mm_setr_epi8(h, d, d, h, d, d, h, d, d, h, d, d, h, d, d, 0);
        __m128i fits = _mm_and_si128(_mm_cmpeq_epi8(_mm_max_epu8(all, least), all),
                                     _mm_cmpeq_epi8(_mm_min_epu8(all, most), all));
        int n = __builtin_ctz(~(unsigned int)_mm_movemask_epi8(fits) | 0x8000u);
        return n - n % 3;
    #else
        int n = 0;
        while (n < 15 && p[n] >= 0xE1 && p[n] <= 0xEC && (p[n + 1] & 0xC0) == 0x80
               && (p[n + 2] & 0xC0) == 0x80) n += 3;
        return n;
    #endif
    }
    /* How many of 15 bytes of UTF-8, from the first one on, are characters of U+4E00 to U+9FFF, of
       three bytes each. 16 can be read. */
    static inline int ttsq_han(const unsigned char *p) {
    #ifdef TTSQ_SSE2
        const char l = (char)0xE4, h = (char)0xE9;
        __m128i all = _mm_loadu_si128((const __m128i *)p);
        __m128i least = _mm_setr_epi8(l, 0, 0, l, 0, 0, l, 0, 0, l, 0, 0, l, 0, 0, l);
        __m128i most = _mm_setr_epi8(h, -1, -1, h, -1, -1, h, -1, -1, h, -1, -1, h, -1, -1, h);
        __m128i fits = _mm_and_si128(_mm_cmpeq_epi8(_mm_max_epu8(all, least), all),
                                     _mm_cmpeq_epi8(_mm_min_epu8(all, most), all));
        /* behind E4, which no other byte is, the second one begins at B8 */
        __m128i fourth = _mm_slli_si128(_mm_cmpeq_epi8(all, _mm_set1_epi8(l)), 1);
        __m128i below = _mm_cmplt_epi8(all, _mm_set1_epi8((char)0xB8));
        unsigned int bad = (unsigned int)_mm_movemask_epi8(_mm_and_si128(fourth, below))
            | ~(unsigned int)_mm_movemask_epi8(fits);
        int n = __builtin_ctz(bad | 0x8000u);
        return n - n % 3;
    #else
        int n = 0;
        while (n < 15 && p[n] >= 0xE4 && p[n] <= 0xE9 && (p[n] > 0xE4 || p[n + 1] >= 0xB8)) n += 3;
        return n;
    #endif
    }
    /* How many of 16 bytes, from the first one on, are ASCII letters, one of the 16 characters from
       the comma to the semicolon, or spaces; negative: all of them spaces. */
    static inline int ttsq_prose(const unsigned char *p) {
    #ifdef TTSQ_SSE2
        __m128i all = _mm_loadu_si128((const __m128i *)p);
        __m128i letter = _mm_sub_epi8(_mm_or_si128(all, _mm_set1_epi8(32)), _mm_set1_epi8(97));
        __m128i middle = _mm_sub_epi8(all, _mm_set1_epi8(44));
        unsigned int space = (unsigned int)_mm_movemask_epi8(
            _mm_cmpeq_epi8(all, _mm_set1_epi8(32)));
        unsigned int other = (unsigned int)_mm_movemask_epi8(_mm_or_si128(
            _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter),
            _mm_cmpeq_epi8(_mm_min_epu8(middle, _mm_set1_epi8(15)), middle)));
        int n = __builtin_ctz(~(space | other) | 0x10000u);
        return other & ((1u << n) - 1) ? n : -n;
    #else
        int n = 0, words = 0;
        for (; n < 16; n++) {
            unsigned char letter = (p[n] | 32) - 97, middle = p[n] - 44;
            if (letter < 26 || middle < 16) words = 1;
            else if (p[n] != 32) break;
        }
        return words ? n : -n;
    #endif
    }
    /* The length of a name that stands at p with its sign, -1 where it does not, -2 for one that is
       too long to be compared so. The name: its first eight bytes with the sign, which of these
       are its own, its last eight and those from the ninth on, 0 where there are fewer, its length.
       24 bytes can be read at p. */
    static inline int ttsq_known(const unsigned char *p, const unsigned long long *name) {
        int n = (int)name[4];
        if ((ttsq_eight(p, 0) ^ name[0]) & name[1]) return -1;
        if (n < 8) return n;
        if (n >= 24) return -2;
        if (ttsq_eight(p, n - 7) != name[2]) return -1;
        return n >= 16 && ttsq_eight(p, 8) != name[3] ? -1 : n;
    }
    /* The number that n digits at p are, 1 to 8; -1 where they are none. Eight bytes can be read. */
    static inline long long ttsq_digits(const unsigned char *p, int n) {
        const unsigned long long zeros = 0x3030303030303030u, fours = 0x000000FF000000FFu;
        unsigned long long d = (ttsq_eight(p, 0) ^ zeros) << (64 - 8 * n);
        if (((d + 0x7676767676767676u) | d) & 0x8080808080808080u) return -1;
        d = d * 10 + (d >> 8);  /* of each two digits their number */
        return (long long)((((d & fours) * (100 + (1000000ull << 32)))
            + ((d >> 16 & fours) * (1 + (10000ull << 32)))) >> 32);
    }
    """
    int value_end "ttsq_value_end" (const unsigned char *here) noexcept nogil
    int plain_bytes "ttsq_plain" (const unsigned char *here, bint escaped) noexcept nogil
    int threes "ttsq_threes" (const unsigned char *here) noexcept nogil
    int han "ttsq_han" (const unsigned char *here) noexcept nogil
    int prose "ttsq_prose" (const unsigned char *here) noexcept nogil
    int known "ttsq_known" (const unsigned char *here, const unsigned long long *name) noexcept nogil
    long long digits "ttsq_digits" (const unsigned char *here, int n) noexcept nogil
    unsigned long long eight "ttsq_eight" (const unsigned char *here, Py_ssize_t pos) noexcept nogil
    int trailing_zeros "__builtin_ctzll" (unsigned long long word) noexcept nogil
    void prefetch "__builtin_prefetch" (const void *address) noexcept nogil
