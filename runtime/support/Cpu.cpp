//===- Cpu.cpp - Can this CPU run the kernels? ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace {

#ifdef __x86_64__
struct Leaf {
  uint32_t eax, ebx, ecx, edx;
};

Leaf cpuidLeaf(uint32_t leaf, uint32_t subleaf) {
  Leaf out = {0, 0, 0, 0};
  // Leaves from 0x80000000 on are counted apart.
  if (__get_cpuid_max(leaf & 0x80000000, nullptr) >= leaf)
    __cpuid_count(leaf, subleaf, out.eax, out.ebx, out.ecx, out.edx);
  return out;
}

/// The register state that the operating system saves and restores.
uint32_t enabledState() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool has(uint32_t word, uint32_t mask) { return (word & mask) == mask; }

uint32_t bit(int n) { return uint32_t(1) << n; }

uint64_t detect() {
  Leaf one = cpuidLeaf(1, 0), seven = cpuidLeaf(7, 0), sevenOne = {0, 0, 0, 0};
  if (seven.eax >= 1)
    sevenOne = cpuidLeaf(7, 1);
  uint64_t found = 0;
  if (has(one.ecx, bit(19)))
    found |= ROOTC_CPU_SSE41;
  uint32_t state = has(one.ecx, bit(27)) ? enabledState() : 0;
  if (!has(state, 0x6) || !has(one.ecx, bit(28)))
    return found;
  found |= ROOTC_CPU_AVX;
  if (has(one.ecx, bit(29)))
    found |= ROOTC_CPU_F16C;
  if (has(one.ecx, bit(12)))
    found |= ROOTC_CPU_FMA;
  // With AVX2 come the scalar extensions that compilers take for granted then.
  if (has(seven.ebx, bit(5) | bit(3) | bit(8)))
    found |= ROOTC_CPU_AVX2;
  if (has(sevenOne.eax, bit(4)))
    found |= ROOTC_CPU_AVX_VNNI;
  if (!has(state, 0xe6))
    return found;
  if (has(seven.ebx, bit(16) | bit(28)))
    found |= ROOTC_CPU_AVX512_FOUNDATION;
  if (has(seven.ebx, bit(17) | bit(30) | bit(31)))
    found |= ROOTC_CPU_AVX512_SKYLAKE;
  if (has(seven.ebx, bit(21)) && has(seven.ecx, bit(1)))
    found |= ROOTC_CPU_AVX512_CANNONLAKE;
  if (has(seven.ecx, bit(6) | bit(11) | bit(12) | bit(14)) &&
      has(sevenOne.eax, bit(5)) && has(cpuidLeaf(0x80000001, 0).ecx, bit(6)))
    found |= ROOTC_CPU_AVX512_ZEN4;
  if (has(seven.edx, bit(23)))
    found |= ROOTC_CPU_AVX512_FP16;
  return found;
}

#else
// Source for other processors requires no feature.
uint64_t detect() { return 0; }
#endif

#define ROOTC_LACKS(what)                                                      \
  "this CPU lacks " what ", which the model was compiled for; compile the "    \
  "network for this machine, or with --target=x86-64-v3"

const struct {
  uint64_t feature;
  const char *message;
} messages[] = {
    {ROOTC_CPU_SSE41, ROOTC_LACKS("SSE 4.1")},
    {ROOTC_CPU_AVX, ROOTC_LACKS("AVX")},
    {ROOTC_CPU_F16C, ROOTC_LACKS("F16C")},
    {ROOTC_CPU_FMA, ROOTC_LACKS("FMA")},
    {ROOTC_CPU_AVX2, ROOTC_LACKS("AVX2")},
    {ROOTC_CPU_AVX512_FOUNDATION, ROOTC_LACKS("AVX-512 (F, CD)")},
    {ROOTC_CPU_AVX512_SKYLAKE, ROOTC_LACKS("AVX-512 (BW, DQ, VL)")},
    {ROOTC_CPU_AVX512_CANNONLAKE, ROOTC_LACKS("AVX-512 (IFMA, VBMI)")},
    {ROOTC_CPU_AVX512_ZEN4, ROOTC_LACKS("AVX-512 (VNNI, BF16) or SSE4a")},
    {ROOTC_CPU_AVX_VNNI, ROOTC_LACKS("AVX-VNNI")},
    {ROOTC_CPU_AVX512_FP16, ROOTC_LACKS("AVX-512 (FP16)")},
};

/// What `detect` found, and bit 63; zero before the first call. cpuid traps in
/// virtual machines, so it is not asked again in every inference.
uint64_t detected;

} // namespace

const char *rootc_support_unsupported(void) {
  uint64_t found = __atomic_load_n(&detected, __ATOMIC_RELAXED);
  if (!found) {
    found = detect() | uint64_t(1) << 63;
    __atomic_store_n(&detected, found, __ATOMIC_RELAXED);
  }
  uint64_t missing = rootc_host.cpu_features & ~found;
  if (!missing)
    return nullptr;
  for (const auto &entry : messages)
    if (missing & entry.feature)
      return entry.message;
  return ROOTC_LACKS("an instruction set");
}
