//===- RootInterfaces.td - What all layers have in common --*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTINTERFACES_TD
#define ROOTC_DIALECT_ROOTINTERFACES_TD

include "mlir/IR/OpBase.td"

def Root_LayerOpInterface : OpInterface<"LayerOpInterface"> {
  let cppNamespace = "::rootc::root";
  let description = [{
    A layer of a network: images in, one image out.
  }];
  let methods = [
    InterfaceMethod<[{
        The shape of the result, from the shapes of the operands, or failure
        after an error at the op. The op's own attributes must have passed its
        verifier.
      }],
      "::llvm::FailureOr<::rootc::root::MapShape>", "inferShape",
      (ins "::llvm::ArrayRef<::rootc::root::MapShape>":$inputs)>,
  ];
}

#endif // ROOTC_DIALECT_ROOTINTERFACES_TD
