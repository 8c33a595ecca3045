//===- RootLayerBase.td - What all layers are made of -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTLAYERBASE_TD
#define ROOTC_DIALECT_ROOTLAYERBASE_TD

include "dialect/RootDialect.td"
include "dialect/RootInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

/// I64Attr with a signed C++ type, so that a negative size looks like one.
def Root_SizeAttr : TypedSignlessIntegerAttrBase<
    I64, "int64_t", "64-bit signless integer attribute"> {
  let convertFromStorage = "$_self.getInt()";
}

class Root_LayerOp<string mnemonic, list<Trait> traits = []>
    : Root_Op<mnemonic, traits # [
        HasParent<"NetworkOp">,
        DeclareOpInterfaceMethods<Root_LayerOpInterface>]> {
  let results = (outs Root_ImageType:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

#endif // ROOTC_DIALECT_ROOTLAYERBASE_TD
