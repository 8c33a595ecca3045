//===- Error.cpp - What a caller is told ----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include <stdarg.h>
#include <stdio.h>

void rootc_support_error(rootc_context *context, const char *format, ...) {
  // The first byte is the claim: tasks of one loop may fail at the same time.
  char none = 0;
  if (!__atomic_compare_exchange_n(&context->error[0], &none, '?', false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    return;
  char text[sizeof context->error];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (size_t i = 1; i < sizeof text && text[i - 1]; ++i)
    context->error[i] = text[i];
  __atomic_store_n(&context->error[0], text[0], __ATOMIC_RELEASE);
}

const char *rootc_support_program_name(int32_t program) {
  switch (program) {
  case ROOTC_PREPARE:
    return "prepare";
  case ROOTC_INFER:
    return "infer";
  case ROOTC_TRAIN:
    return "train";
  case ROOTC_GRAD:
    return "grad";
  case ROOTC_ADAMW:
    return "adamw";
  case ROOTC_CLIP:
    return "clip";
  case ROOTC_AVERAGE:
    return "average";
  default:
    return "update";
  }
}
