// Included first in every source of the prebuilt addon for glibc: glibc 2.32 and 2.34 moved these functions from
// libpthread to libc under new versions, so that a linker with a newer glibc would choose versions that older systems
// lack. Both versions are the same function.
#pragma once

#if defined(__x86_64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.2.5");
__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.2.5");
#endif
