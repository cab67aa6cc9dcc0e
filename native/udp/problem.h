/* Why something could not be done: which call, on what, and the errno. */
#ifndef LODEN_UDP_PROBLEM_H
#define LODEN_UDP_PROBLEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct problem {
  char what[96];
  int error;
};

/* Returns false, for the caller to return in turn. */
__attribute__((format(printf, 3, 4))) static inline bool fail_with(struct problem *problem, int error,
                                                                   const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(problem->what, sizeof problem->what, format, values);
  va_end(values);
  problem->error = error;
  return false;
}

#endif
