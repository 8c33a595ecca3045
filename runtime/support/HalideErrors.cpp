//===- HalideErrors.cpp - What kernels report -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function for each check that Halide compiles into a kernel; each leaves
// its message in the caller's context and returns Halide's code.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#pragma GCC visibility push(hidden)
extern "C" {

#define ROOTC_HALIDE_ERROR(code, ...)                                          \
  {                                                                            \
    rootc_support_error(((rootc_frame *)user_context)->context, __VA_ARGS__);  \
    return code;                                                               \
  }

int halide_error_bounds_inference_call_failed(
    void *user_context, const char *stage,
    int result) ROOTC_HALIDE_ERROR(result,
                                   "the bounds of %s could not be computed",
                                   stage)

    int halide_error_extern_stage_failed(
        void *user_context, const char *stage,
        int result) ROOTC_HALIDE_ERROR(result, "stage %s failed with code %d",
                                       stage, result)

        int halide_error_explicit_bounds_too_small(
            void *user_context, const char *func, const char *var,
            int min_bound, int max_bound, int min_required,
            int max_required) ROOTC_HALIDE_ERROR(-2,
                                                 "%s is needed over %s in [%d, "
                                                 "%d], computed over "
                                                 "[%d, %d]",
                                                 func, var, min_required,
                                                 max_required, min_bound,
                                                 max_bound)

            int halide_error_bad_type(
                void *user_context, const char *func, uint32_t given,
                uint32_t correct) ROOTC_HALIDE_ERROR(-3,
                                                     "%s has element type %#x; "
                                                     "the kernel takes %#x",
                                                     func, given, correct)

                int halide_error_bad_dimensions(
                    void *user_context, const char *func, int32_t given,
                    int32_t correct) ROOTC_HALIDE_ERROR(-43,
                                                        "%s has %d dimensions; "
                                                        "the kernel takes %d",
                                                        func, given, correct)

                    int halide_error_access_out_of_bounds(
                        void *user_context, const char *func, int dimension,
                        int min_touched, int max_touched, int min_valid,
                        int max_valid) ROOTC_HALIDE_ERROR(-4,
                                                          "%s is accessed at "
                                                          "[%d, %d] in "
                                                          "dimension %d; it "
                                                          "covers [%d, %d]",
                                                          func, min_touched,
                                                          max_touched,
                                                          dimension, min_valid,
                                                          max_valid)

                        int halide_error_buffer_allocation_too_large(
                            void *user_context, const char *buffer,
                            uint64_t size,
                            uint64_t
                                limit) ROOTC_HALIDE_ERROR(-5,
                                                          "%s would take %llu "
                                                          "bytes; the limit is "
                                                          "%llu",
                                                          buffer,
                                                          (unsigned long long)
                                                              size,
                                                          (unsigned long long)
                                                              limit)

                            int halide_error_buffer_extents_negative(
                                void *user_context, const char *buffer,
                                int dimension,
                                int extent) ROOTC_HALIDE_ERROR(-28,
                                                               "%s has extent "
                                                               "%d in "
                                                               "dimension %d",
                                                               buffer, extent,
                                                               dimension)

                                int halide_error_buffer_extents_too_large(
                                    void *user_context, const char *buffer,
                                    int64_t size,
                                    int64_t
                                        limit) ROOTC_HALIDE_ERROR(-6,
                                                                  "%s would "
                                                                  "hold %lld "
                                                                  "elements; "
                                                                  "the limit "
                                                                  "is %lld",
                                                                  buffer,
                                                                  (long long)
                                                                      size,
                                                                  (long long)
                                                                      limit)

                                    int halide_error_constraints_make_required_region_smaller(
                                        void *user_context, const char *buffer,
                                        int dimension, int constrained_min,
                                        int constrained_extent,
                                        int required_min,
                                        int required_extent) ROOTC_HALIDE_ERROR(-7,
                                                                                "dimension %d of %s is constrained to [%d, +%d), "
                                                                                "needed at [%d, +%d)",
                                                                                dimension,
                                                                                buffer,
                                                                                constrained_min,
                                                                                constrained_extent,
                                                                                required_min,
                                                                                required_extent)

                                        int halide_error_constraint_violated(
                                            void *user_context, const char *var,
                                            int value, const char *constraint,
                                            int constrained) ROOTC_HALIDE_ERROR(-8,
                                                                                "%s is %d; it must be %s, %d",
                                                                                var,
                                                                                value,
                                                                                constraint,
                                                                                constrained)

                                            int halide_error_param_too_small_i64(
                                                void *user_context,
                                                const char *name, int64_t value,
                                                int64_t
                                                    limit) ROOTC_HALIDE_ERROR(-9,
                                                                              "%s is %lld; at least %lld is needed",
                                                                              name,
                                                                              (long long)
                                                                                  value,
                                                                              (long long)
                                                                                  limit)

                                                int halide_error_param_too_small_u64(
                                                    void *user_context,
                                                    const char *name,
                                                    uint64_t value,
                                                    uint64_t limit)
                                                    ROOTC_HALIDE_ERROR(
                                                        -9,
                                                        "%s is %llu; at least "
                                                        "%llu is needed",
                                                        name,
                                                        (unsigned long long)
                                                            value,
                                                        (unsigned long long)
                                                            limit)

                                                        int halide_error_param_too_small_f64(
                                                            void *user_context,
                                                            const char *name,
                                                            double value,
                                                            double
                                                                limit) ROOTC_HALIDE_ERROR(-9,
                                                                                          "%s is %g; at least %g is needed",
                                                                                          name,
                                                                                          value,
                                                                                          limit)

                                                            int halide_error_param_too_large_i64(
                                                                void *
                                                                    user_context,
                                                                const char
                                                                    *name,
                                                                int64_t value,
                                                                int64_t limit)
                                                                ROOTC_HALIDE_ERROR(
                                                                    -10,
                                                                    "%s is "
                                                                    "%lld; the "
                                                                    "limit is "
                                                                    "%lld",
                                                                    name,
                                                                    (long long)
                                                                        value,
                                                                    (long long)
                                                                        limit)

                                                                    int halide_error_param_too_large_u64(
                                                                        void *
                                                                            user_context,
                                                                        const char
                                                                            *name,
                                                                        uint64_t
                                                                            value,
                                                                        uint64_t
                                                                            limit)
                                                                        ROOTC_HALIDE_ERROR(
                                                                            -10,
                                                                            "%s"
                                                                            " i"
                                                                            "s "
                                                                            "%l"
                                                                            "lu"
                                                                            "; "
                                                                            "th"
                                                                            "e "
                                                                            "li"
                                                                            "mi"
                                                                            "t "
                                                                            "is"
                                                                            " %"
                                                                            "ll"
                                                                            "u",
                                                                            name,
                                                                            (unsigned long long)
                                                                                value,
                                                                            (unsigned long long)
                                                                                limit)

                                                                            int halide_error_param_too_large_f64(
                                                                                void *
                                                                                    user_context,
                                                                                const char
                                                                                    *name,
                                                                                double
                                                                                    value,
                                                                                double
                                                                                    limit)
                                                                                ROOTC_HALIDE_ERROR(
                                                                                    -10,
                                                                                    "%s is %g; the limit is %g",
                                                                                    name,
                                                                                    value,
                                                                                    limit)

                                                                                    int halide_error_out_of_memory(
                                                                                        void *
                                                                                            user_context)
                                                                                        ROOTC_HALIDE_ERROR(
                                                                                            -11,
                                                                                            "out of memory")

                                                                                            int halide_error_buffer_argument_is_null(
                                                                                                void *
                                                                                                    user_context,
                                                                                                const char
                                                                                                    *name)
                                                                                                ROOTC_HALIDE_ERROR(
                                                                                                    -12,
                                                                                                    "buffer %s is null",
                                                                                                    name)

                                                                                                    int halide_error_unaligned_host_ptr(
                                                                                                        void *
                                                                                                            user_context,
                                                                                                        const char
                                                                                                            *func,
                                                                                                        int bytes)
                                                                                                        ROOTC_HALIDE_ERROR(
                                                                                                            -24,
                                                                                                            "%s must begin at a multiple of %d bytes",
                                                                                                            func,
                                                                                                            bytes)

                                                                                                            int halide_error_host_is_null(void *user_context, const char
                                                                                                                                                                  *func) ROOTC_HALIDE_ERROR(-34,
                                                                                                                                                                                            "the data of %s are null",
                                                                                                                                                                                            func)

                                                                                                                int halide_error_bad_fold(
                                                                                                                    void *
                                                                                                                        user_context,
                                                                                                                    const char
                                                                                                                        *func,
                                                                                                                    const char
                                                                                                                        *var,
                                                                                                                    const char *
                                                                                                                        loop) ROOTC_HALIDE_ERROR(-25,
                                                                                                                                                 "the storage of %s cannot be folded over %s in "
                                                                                                                                                 "loop %s",
                                                                                                                                                 func,
                                                                                                                                                 var,
                                                                                                                                                 loop)

                                                                                                                    int halide_error_bad_extern_fold(void *user_context, const char *func, int dimension, int min,
                                                                                                                                                     int extent,
                                                                                                                                                     int valid_min,
                                                                                                                                                     int factor)
                                                                                                                        ROOTC_HALIDE_ERROR(
                                                                                                                            -35,
                                                                                                                            "dimension %d of %s is needed at [%d, +%d); it is "
                                                                                                                            "folded by %d from %d",
                                                                                                                            dimension,
                                                                                                                            func,
                                                                                                                            min,
                                                                                                                            extent,
                                                                                                                            factor,
                                                                                                                            valid_min)

                                                                                                                            int halide_error_fold_factor_too_small(
                                                                                                                                void *
                                                                                                                                    user_context,
                                                                                                                                const char
                                                                                                                                    *func,
                                                                                                                                const char
                                                                                                                                    *var,
                                                                                                                                int factor,
                                                                                                                                const char
                                                                                                                                    *loop,
                                                                                                                                int required)
                                                                                                                                ROOTC_HALIDE_ERROR(
                                                                                                                                    -26, "%s is folded over %s by %d; loop %s needs %d",
                                                                                                                                    func,
                                                                                                                                    var,
                                                                                                                                    factor,
                                                                                                                                    loop,
                                                                                                                                    required)

                                                                                                                                    int halide_error_requirement_failed(
                                                                                                                                        void
                                                                                                                                            *user_context,
                                                                                                                                        const char
                                                                                                                                            *condition,
                                                                                                                                        const char
                                                                                                                                            *message)
                                                                                                                                        ROOTC_HALIDE_ERROR(
                                                                                                                                            -27,
                                                                                                                                            "%s (%s is required)",
                                                                                                                                            message,
                                                                                                                                            condition)

                                                                                                                                            int halide_error_specialize_fail(
                                                                                                                                                void *
                                                                                                                                                    user_context,
                                                                                                                                                const char
                                                                                                                                                    *message) ROOTC_HALIDE_ERROR(-31,
                                                                                                                                                                                 "no specialisation applies: %s", message)

                                                                                                                                                int halide_error_no_device_interface(
                                                                                                                                                    void
                                                                                                                                                        *user_context)
                                                                                                                                                    ROOTC_HALIDE_ERROR(
                                                                                                                                                        -19,
                                                                                                                                                        "a buffer has no device interface")

                                                                                                                                                        int halide_error_device_interface_no_device(
                                                                                                                                                            void
                                                                                                                                                                *user_context)
                                                                                                                                                            ROOTC_HALIDE_ERROR(
                                                                                                                                                                -36,
                                                                                                                                                                "a buffer has a device interface and no device")

                                                                                                                                                                int halide_error_host_and_device_dirty(void *
                                                                                                                                                                                                           user_context) ROOTC_HALIDE_ERROR(-37,
                                                                                                                                                                                                                                            "a buffer is newer on the host and on the device")

                                                                                                                                                                    int halide_error_buffer_is_null(
                                                                                                                                                                        void *
                                                                                                                                                                            user_context,
                                                                                                                                                                        const char
                                                                                                                                                                            *routine)
                                                                                                                                                                        ROOTC_HALIDE_ERROR(
                                                                                                                                                                            -38,
                                                                                                                                                                            "%s was given a null buffer",
                                                                                                                                                                            routine)

                                                                                                                                                                            int halide_error_device_dirty_with_no_device_support(
                                                                                                                                                                                void *user_context, const char
                                                                                                                                                                                                        *buffer) ROOTC_HALIDE_ERROR(-44,
                                                                                                                                                                                                                                    "%s is newest on a device; the kernel has no "
                                                                                                                                                                                                                                    "device code",
                                                                                                                                                                                                                                    buffer)

                                                                                                                                                                                int halide_error_storage_bound_too_small(
                                                                                                                                                                                    void *
                                                                                                                                                                                        user_context,
                                                                                                                                                                                    const char
                                                                                                                                                                                        *func,
                                                                                                                                                                                    const char *var, int provided, int required) ROOTC_HALIDE_ERROR(-45,
                                                                                                                                                                                                                                                    "%s is stored over %d in %s; it needs %d",
                                                                                                                                                                                                                                                    func,
                                                                                                                                                                                                                                                    provided,
                                                                                                                                                                                                                                                    var,
                                                                                                                                                                                                                                                    required)

                                                                                                                                                                                    int halide_error_split_factor_not_positive(void *user_context, const char *func,
                                                                                                                                                                                                                               const char
                                                                                                                                                                                                                                   *old,
                                                                                                                                                                                                                               const char *outer, const char *inner, const char *text, int factor) ROOTC_HALIDE_ERROR(-46,
                                                                                                                                                                                                                                                                                                                      "in %s, %s is split into %s and %s by %s, which "
                                                                                                                                                                                                                                                                                                                      "is %d",
                                                                                                                                                                                                                                                                                                                      func,
                                                                                                                                                                                                                                                                                                                      old,
                                                                                                                                                                                                                                                                                                                      outer,
                                                                                                                                                                                                                                                                                                                      inner,
                                                                                                                                                                                                                                                                                                                      text,
                                                                                                                                                                                                                                                                                                                      factor)
}
#pragma GCC visibility pop
