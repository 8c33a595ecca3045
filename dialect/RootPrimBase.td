//===- RootPrimBase.td - What primitive ops are made of -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTPRIMBASE_TD
#define ROOTC_DIALECT_ROOTPRIMBASE_TD

include "dialect/RootDialect.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Operand and attribute kinds
//===----------------------------------------------------------------------===//

def Root_Map : 4DTensorOf<[F32]>;      // [N,H,W,C]
def Root_IndexMap : 4DTensorOf<[UI8, I32]>; // [N,H,W,C]
def Root_Filter : 4DTensorOf<[F32]>;   // [O,kh,kw,I/g]
def Root_Packed : RankedTensorOf<[F32]>;
def Root_Vector : 1DTensorOf<[F32]>;
def Root_MapOrVector : TensorRankOf<[F32], [1, 4]>; // [N,H,W,C] or [C]
def Root_Integers : 1DTensorOf<[I64]>;

/// I64Attr with a signed accessor.
def Root_IntAttr
    : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit integer attribute">;
class Root_IntsAttr<int count>
    : ConfinedAttr<DenseI64ArrayAttr, [DenseArrayCount<count>]>;

//===----------------------------------------------------------------------===//
// Base classes
//===----------------------------------------------------------------------===//

/// Computes each element of its result from the same element of its operands
/// (vectors indexed by the channel), so it may join another op's kernel.
def Root_PrimElementwise : NativeOpTrait<"PrimElementwise"> {
  let cppNamespace = "::rootc::root";
}

/// Costs less than a trip through memory: each reader may compute it for itself,
/// one point from one point of each map.
def Root_PrimCheap : NativeOpTrait<"PrimCheap"> {
  let cppNamespace = "::rootc::root";
}

/// Elementwise ops may be applied to its result in registers.
def Root_PrimTakesEpilogue : NativeOpTrait<"PrimTakesEpilogue"> {
  let cppNamespace = "::rootc::root";
}

/// Reads each element of its maps few times, or copies them into cache first:
/// cheap ops may be computed as it reads.
def Root_PrimTakesPrologue : NativeOpTrait<"PrimTakesPrologue"> {
  let cppNamespace = "::rootc::root";
}

/// `layer` names the network op that a primitive comes from, for profiles; it
/// does not change what is computed.
class Root_PrimOp<string mnemonic, dag operands, dag attributes, dag outs,
                  list<Trait> traits = []>
    : Root_Op<"prim." # mnemonic, !listconcat([Pure], traits)> {
  let arguments = !con(operands, attributes, (ins OptionalAttr<StrAttr>:$layer));
  let results = outs;
  let assemblyFormat =
      "operands attr-dict `:` functional-type(operands, results)";
}

#endif // ROOTC_DIALECT_ROOTPRIMBASE_TD
