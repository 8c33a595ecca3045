//===- RootProgramOps.td - Programs and kernels ------------*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTPROGRAMOPS_TD
#define ROOTC_DIALECT_ROOTPROGRAMOPS_TD

include "dialect/RootDialect.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Enums and attributes
//===----------------------------------------------------------------------===//

class Root_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::rootc::root";
  let genSpecializedAttr = 0;
}
/// Prints as the bare keyword.
class Root_EnumAttr<Root_Enum enum, string mnemonic>
    : EnumAttr<Root_Dialect, enum, mnemonic> {
  let assemblyFormat = "`` $value";
}

def Root_ProgramKind : Root_Enum<"ProgramKind", "what a program computes", [
  I32EnumAttrCase<"Prepare", 0, "prepare">,
  I32EnumAttrCase<"Infer", 1, "infer">,
  I32EnumAttrCase<"Train", 2, "train">,
  I32EnumAttrCase<"Grad", 3, "grad">,
  I32EnumAttrCase<"Update", 4, "update">,
  I32EnumAttrCase<"Adamw", 5, "adamw">,
  I32EnumAttrCase<"Clip", 6, "clip">,
  I32EnumAttrCase<"Average", 7, "average">,
]>;
def Root_ProgramKindAttr : Root_EnumAttr<Root_ProgramKind, "program_kind">;

def Root_ArgumentKind : Root_Enum<"ArgumentKind", "an argument of a program", [
  I32EnumAttrCase<"Image", 0, "image">,           // [N,H,W,C]
  I32EnumAttrCase<"Labels", 1, "labels">,         // i64 [N]
  I32EnumAttrCase<"Samples", 2, "samples">,       // i64 [N]
  I32EnumAttrCase<"Random", 3, "random">,         // i64 [2]: seed, epoch
  I32EnumAttrCase<"Parameters", 4, "parameters">, // [?], the whole arena
  I32EnumAttrCase<"Gradients", 5, "gradients">,   // [?]
  I32EnumAttrCase<"Velocity", 6, "velocity">,     // [?]
  I32EnumAttrCase<"Scalars", 7, "scalars">,       // of the update
  I32EnumAttrCase<"Square", 8, "square">,         // [?]
  I32EnumAttrCase<"Average", 9, "average">,       // [?]
]>;
def Root_ArgumentKindAttr : Root_EnumAttr<Root_ArgumentKind, "argument_kind">;

def Root_StoreKind : Root_Enum<"StoreKind", "what a program writes", [
  I32EnumAttrCase<"Logits", 0, "logits">,
  I32EnumAttrCase<"Loss", 1, "loss">,
  I32EnumAttrCase<"InputGradient", 2, "d_image">,
  I32EnumAttrCase<"Gradient", 3, "gradient">,   // named
  I32EnumAttrCase<"Statistic", 4, "statistic">, // named
  I32EnumAttrCase<"Prepared", 5, "prepared">,   // named
  I32EnumAttrCase<"Parameters", 6, "parameters">,
  I32EnumAttrCase<"Velocity", 7, "velocity">,
  I32EnumAttrCase<"Gradients", 8, "gradients">,
  I32EnumAttrCase<"Square", 9, "square">,
  I32EnumAttrCase<"Average", 10, "average">,
]>;
def Root_StoreKindAttr : Root_EnumAttr<Root_StoreKind, "store_kind">;

def Root_TensorKind : Root_Enum<"TensorKind", "the arena of a named tensor", [
  I32EnumAttrCase<"Parameter", 0, "parameter">,
  I32EnumAttrCase<"Statistic", 1, "statistic">,
  I32EnumAttrCase<"Prepared", 2, "prepared">,
]>;
def Root_TensorKindAttr : Root_EnumAttr<Root_TensorKind, "tensor_kind">;

def Root_SlotArena : Root_Enum<"SlotArena", "where a kernel's result lies", [
  I32EnumAttrCase<"Batch", 0, "batch">,       // workspace, bytes per image
  I32EnumAttrCase<"Fixed", 1, "fixed">,       // workspace, bytes
  I32EnumAttrCase<"Logits", 2, "logits">,
  I32EnumAttrCase<"Loss", 3, "loss">,
  I32EnumAttrCase<"InputGradient", 4, "d_image">,
  I32EnumAttrCase<"Gradients", 5, "gradients">,
  I32EnumAttrCase<"Statistics", 6, "statistics">,
  I32EnumAttrCase<"Prepared", 7, "prepared">,
  I32EnumAttrCase<"Parameters", 8, "parameters">,
  I32EnumAttrCase<"Velocity", 9, "velocity">,
  I32EnumAttrCase<"Square", 10, "square">,
  I32EnumAttrCase<"Average", 11, "average">,
]>;

def Root_SlotAttr : AttrDef<Root_Dialect, "Slot"> {
  let mnemonic = "slot";
  let summary = "Where a kernel's result lies: an arena and a byte offset";
  let description = [{
    `#root.slot<fixed, 128>`; in the arena `batch` the offset is in bytes per
    image.
  }];
  let parameters = (ins EnumParameter<Root_SlotArena>:$arena, "int64_t":$offset);
  let assemblyFormat = "`<` $arena `,` $offset `>`";
}
def Root_SlotArrayAttr : TypedArrayAttrBase<Root_SlotAttr, "slots">;

//===----------------------------------------------------------------------===//
// Models and programs
//===----------------------------------------------------------------------===//

def Root_ModelOp : Root_Op<"model",
    [IsolatedFromAbove, SymbolTable, Symbol, NoTerminator, SingleBlock,
     NoRegionArguments]> {
  let summary = "What one network becomes: its tensors and its programs";
  let description = [{
    `root.model @nin image(32x32x3) classes(10) { ... }` holds
    `root.arena_tensor` ops, then `root.program` ops. The counts and sizes are
    set by `root-plan-memory`; `description` is JSON for `rootrun info`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
      ConfinedAttr<DenseI64ArrayAttr, [DenseArrayCount<3>]>:$image,
      I64Attr:$classes,
      OptionalAttr<StrAttr>:$description,
      OptionalAttr<I64Attr>:$parameter_count,
      OptionalAttr<I64Attr>:$decayed_count,
      OptionalAttr<I64Attr>:$statistic_count,
      OptionalAttr<I64Attr>:$prepared_bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `image` `(` custom<DimensionList>($image) `)`
    `classes` `(` $classes `)` attr-dict-with-keyword $body
  }];
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name,
                                 "::llvm::ArrayRef<int64_t>":$image,
                                 "int64_t":$classes)>];
  let hasVerifier = 1;
}

def Root_ArenaTensorOp : Root_Op<"arena_tensor", [HasParent<"ModelOp">]> {
  let summary = "One named tensor of the parameter, statistic or prepared arena";
  let description = [{
    `root.arena_tensor parameter "conv1a.filter" role("filter") fan_in(75) :
    tensor<192x5x5x3xf32>`. Roles: filter, weight, bias, scale, offset, mean,
    variance; `packed` in the prepared arena. `fan_in` is 0 where a constant
    initialises the tensor. `offset` (floats; in the prepared arena too) is set
    by `root-plan-memory`, which also makes the ops of the prepared arena.
  }];
  let arguments = (ins Root_TensorKindAttr:$kind, StrAttr:$name, StrAttr:$role,
      DefaultValuedAttr<I64Attr, "0">:$fan_in,
      TypeAttrOf<AnyStaticShapeTensor>:$type,
      OptionalAttr<I64Attr>:$offset);
  let assemblyFormat = [{
    $kind $name `role` `(` $role `)` (`fan_in` `(` $fan_in^ `)`)?
    (`offset` `(` $offset^ `)`)? attr-dict `:` $type
  }];
  let hasVerifier = 1;
}

def Root_ProgramOp : Root_Op<"program",
    [IsolatedFromAbove, Symbol, NoTerminator, SingleBlock, NoRegionArguments,
     HasParent<"ModelOp">]> {
  let summary = "What one entry of a library computes";
  let description = [{
    `root.program @train kind(train) { ... }`. `root-plan-memory` sets the
    workspace's size: `N * batch_bytes + fixed_bytes`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Root_ProgramKindAttr:$kind,
      OptionalAttr<I64Attr>:$batch_bytes, OptionalAttr<I64Attr>:$fixed_bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `kind` `(` $kind `)` attr-dict-with-keyword $body
  }];
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name,
                                 "ProgramKind":$kind)>];
  let hasVerifier = 1;
}

def Root_ArgumentOp : Root_Op<"argument", [Pure, HasParent<"ProgramOp">]> {
  let summary = "An argument of the program";
  let arguments = (ins Root_ArgumentKindAttr:$kind);
  let results = (outs AnyRankedTensor:$value);
  let assemblyFormat = "$kind attr-dict `:` type($value)";
}

class Root_NamedReadOp<string mnemonic>
    : Root_Op<mnemonic, [Pure, HasParent<"ProgramOp">]> {
  let arguments = (ins StrAttr:$name);
  let results = (outs AnyStaticShapeTensor:$value);
  let assemblyFormat = "$name attr-dict `:` type($value)";
}
def Root_ParameterOp : Root_NamedReadOp<"parameter"> {
  let summary = "A parameter's value; its shape may differ, not its size";
}
def Root_StatisticOp : Root_NamedReadOp<"statistic"> {
  let summary = "A running statistic as it was when the program began";
}
def Root_PreparedOp : Root_NamedReadOp<"prepared"> {
  let summary = "A tensor that `prepare` has stored";
}

def Root_StoreOp : Root_Op<"store", [HasParent<"ProgramOp">]> {
  let summary = "Writes a value to an argument of the program";
  let description = [{
    `root.store logits %l : tensor<?x1x1x10xf32>`,
    `root.store gradient "conv1a.filter" %g : tensor<192x5x5x3xf32>`. A
    gradient, statistic or prepared tensor has a name, the others none. Stores
    act when the program ends.
  }];
  let arguments = (ins Root_StoreKindAttr:$kind, OptionalAttr<StrAttr>:$name,
                       AnyRankedTensor:$value);
  let assemblyFormat = "$kind ($name^)? $value attr-dict `:` type($value)";
  let builders = [OpBuilder<(ins "StoreKind":$kind, "::llvm::StringRef":$name,
                                 "::mlir::Value":$value)>];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def Root_KernelOp : Root_Op<"kernel",
    [Pure, IsolatedFromAbove, HasParent<"ProgramOp">,
     SingleBlock]> {
  let summary = "Primitive ops compiled as one Halide pipeline";
  let description = [{
    `%r = root.kernel (%a = %x, %b = %w) schedule({tile = 4}) : (types) ->
    types { ...; root.yield %y : type }`. `schedule` maps the keys of a schedule
    family to integers; `slots` says where each result lies.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs,
                       OptionalAttr<DictionaryAttr>:$schedule,
                       OptionalAttr<Root_SlotArrayAttr>:$slots);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    YieldOp getYield();
  }];
}

def Root_YieldOp : Root_Op<"yield",
    [Pure, Terminator, HasParent<"KernelOp">]> {
  let summary = "The results of a kernel";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // ROOTC_DIALECT_ROOTPROGRAMOPS_TD
