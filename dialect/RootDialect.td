//===- RootDialect.td - The root dialect -------------------*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTDIALECT_TD
#define ROOTC_DIALECT_ROOTDIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"

def Root_Dialect : Dialect {
  let name = "root";
  let summary = "Convolutional networks with filter groups, from layers to fused kernels";
  let cppNamespace = "::rootc::root";
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    /// Called for ops that do not exist: reports which do.
    std::optional<ParseOpHook>
    getParseOperationHook(llvm::StringRef opName) const override;
  }];
}

class Root_Op<string mnemonic, list<Trait> traits = []>
    : Op<Root_Dialect, mnemonic, traits>;

def Root_ImageType : TypeDef<Root_Dialect, "Image"> {
  let mnemonic = "image";
  let summary = "A batch of feature maps";
  let description = [{
    `!root.image<32x32x192>` is a batch of maps, height x width x channels, in
    NHWC; `!root.image` is one whose shape is not inferred yet (the shape array
    is empty).
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    bool hasShape() const { return !getShape().empty(); }
    int64_t getHeight() const { return getShape()[0]; }
    int64_t getWidth() const { return getShape()[1]; }
    int64_t getChannels() const { return getShape()[2]; }
  }];
}

#endif // ROOTC_DIALECT_ROOTDIALECT_TD
