/*
 * Keeps the addon loadable wherever Node itself is: Node 20 needs glibc 2.28, but what is linked on a newer system asks
 * for the newest version of each function. Since 2.34 the threads' are in libc, under new versions of the same code; the
 * old versions, which every glibc has, are asked for here. (x86-64 counts from 2.2.5, arm64 from 2.17.)
 */
#ifndef LODEN_GLIBC_H
#define LODEN_GLIBC_H

#if defined(__GLIBC__) && defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#elif defined(__GLIBC__) && defined(__aarch64__)
#define OLDEST "GLIBC_2.17"
#endif

#ifdef OLDEST
__asm__(".symver pthread_create, pthread_create@" OLDEST);
__asm__(".symver pthread_join, pthread_join@" OLDEST);
__asm__(".symver pthread_sigmask, pthread_sigmask@" OLDEST);
#endif

#endif
