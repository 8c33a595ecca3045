//===- Program.cpp - Runs the calls of a model's table --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Device.h"

namespace {

/// halide_type_t of one lane.
constexpr uint32_t type(uint32_t code, uint32_t bits) {
  return code | bits << 8 | 1 << 16;
}
/// In rootc_element's order.
const uint32_t types[] = {type(2, 32), type(0, 64), type(1, 8), type(0, 32),
                          type(1, 16)}; // bf16 as its bits
static_assert(sizeof types / sizeof types[0] == ROOTC_ELEMENT_COUNT,
              "one for each rootc_element");

struct Operand {
  rootc_kernel_buffer buffer;
  rootc_kernel_dimension dim[ROOTC_MAX_RANK];
};

void describe(Operand &to, const rootc_buffer &from, char *const *arenas,
              int64_t n, const rootc_device_api *device) {
  to.buffer = {};
  char *address = arenas[from.arena] + from.offset + n * from.per_image;
  if (device) {
    to.buffer.device = (uint64_t)address;
    to.buffer.device_interface = device;
  } else {
    to.buffer.host = address;
  }
  to.buffer.type = types[from.element];
  to.buffer.dimensions = from.rank;
  to.buffer.dim = to.dim;
  int32_t stride = 1;
  for (int32_t i = 0; i < from.rank; ++i) {
    int32_t extent = from.extents[i];
    // Entries have checked that n fits.
    to.dim[i] = {0, extent < 0 ? (int32_t)n : extent, stride, 0};
    stride *= extent; // n is outermost: its product is not read
  }
}

/// A kernel left its reason; says where it happened.
int fail(rootc_context *context, int32_t program, int32_t call, int code) {
  char reason[sizeof context->error];
  __builtin_memcpy(reason, context->error, sizeof reason);
  context->error[0] = 0;
  const char *name = rootc_support_program_name(program);
  const char *label = rootc_host.model->call_labels[program][call];
  if (reason[0])
    rootc_support_error(context, "%s, kernel '%s': %s", name, label, reason);
  else
    rootc_support_error(context, "%s, kernel '%s' failed with code %d", name,
                        label, code);
  const int halideOutOfMemory = -11;
  return code == halideOutOfMemory ? ROOTC_ERROR_MEMORY : ROOTC_ERROR_KERNEL;
}

} // namespace

int rootc_support_run(rootc_frame *frame, int32_t program, char *const *arenas,
                      int64_t n) {
  const rootc_host_program &host = rootc_host.programs[program];
  rootc_context *context = frame->context;
  auto *operands =
      (Operand *)__builtin_alloca(host.most_operands * sizeof(Operand));
  auto **arguments =
      (void **)__builtin_alloca((host.most_operands + 1) * sizeof(void *));
  const rootc_device_api *device =
      frame->lane ? rootc_support_api_of(frame->lane->device) : nullptr;
  arguments[0] = &frame;
  for (int32_t i = 0; i < host.most_operands; ++i)
    arguments[i + 1] = &operands[i].buffer;
  for (int32_t i = 0; i < rootc_host.model->call_count[program]; ++i) {
    const rootc_call &call = rootc_host.calls[host.first_call + i];
    const int32_t *buffers = rootc_host.operands + call.first_operand;
    for (int32_t j = 0; j < call.operand_count; ++j)
      describe(operands[j], rootc_host.buffers[buffers[j]], arenas, n, device);
    if (context->call_hook)
      context->call_hook(context->call_hook_state, program, i, 0);
    int code = rootc_host.kernels[call.kernel](arguments);
    if (!code && device && context->call_hook)
      code = rootc_support_show(frame, &call, n);
    if (context->call_hook)
      context->call_hook(context->call_hook_state, program, i, 1);
    if (code)
      return fail(context, program, i, code);
  }
  return ROOTC_OK;
}
