//===- MixedLabel.h - The labels of a mixed image ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_MIXEDLABEL_H
#define ROOTC_CODEGEN_MIXEDLABEL_H

#include "rootc/model.h"

namespace rootc::codegen {

/// More classes than this have labels that leave no room for a partner.
inline constexpr int64_t maxLabels = int64_t(1) << ROOTC_LABEL_BITS;

/// What a label of a batch says; see ROOTC_MIXED_LABEL. One that is not mixed
/// has class 0 for a partner, which counts nothing.
struct MixedLabel {
  constexpr explicit MixedLabel(int64_t packed)
      : label(packed < 0 ? packed : packed & (maxLabels - 1)),
        partner(packed < 0 ? 0 : packed >> ROOTC_LABEL_BITS & (maxLabels - 1)),
        share(packed < 0 ? 0
                         : double(packed >> 2 * ROOTC_LABEL_BITS) /
                               double(maxLabels)) {}
  /// Whether both are of a class; without a share a partner is none.
  constexpr bool isBelow(int64_t classes) const {
    return label >= 0 && label < classes && partner < (share > 0 ? classes : 1);
  }
  int64_t label, partner;
  double share; ///< of the partner, in [0, 1)
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_MIXEDLABEL_H
