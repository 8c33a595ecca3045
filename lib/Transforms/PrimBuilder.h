//===- PrimBuilder.h - Makes primitive ops of one layer ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_PRIMBUILDER_H
#define ROOTC_TRANSFORMS_PRIMBUILDER_H

#include "dialect/RootDialect.h"
#include "mlir/IR/Builders.h"

namespace rootc {

/// Attributes for a primitive op, in the making.
class Attributes {
public:
  explicit Attributes(mlir::MLIRContext *context) : builder(context) {}

  Attributes &ints(llvm::StringRef name, llvm::ArrayRef<int64_t> values) {
    list.set(name, builder.getDenseI64ArrayAttr(values));
    return *this;
  }
  Attributes &integer(llvm::StringRef name, int64_t value) {
    list.set(name, builder.getI64IntegerAttr(value));
    return *this;
  }
  Attributes &real(llvm::StringRef name, double value) {
    list.set(name, builder.getF64FloatAttr(value));
    return *this;
  }
  Attributes &text(llvm::StringRef name, llvm::StringRef value) {
    list.set(name, builder.getStringAttr(value));
    return *this;
  }
  /// Takes over those of `names` that `op` has.
  Attributes &copy(mlir::Operation *op, llvm::ArrayRef<llvm::StringRef> names) {
    for (llvm::StringRef name : names)
      if (mlir::Attribute value = op->getAttr(name))
        list.set(name, value);
    return *this;
  }

  mlir::NamedAttrList list;

private:
  mlir::Builder builder;
};

/// Makes primitive ops that carry the location and the label of one layer.
class PrimBuilder {
public:
  PrimBuilder(mlir::OpBuilder &builder, mlir::Location loc,
              mlir::StringAttr layer)
      : builder(builder), loc(loc), layer(layer) {}
  /// As the primitive op `like`.
  PrimBuilder(mlir::OpBuilder &builder, mlir::Operation *like)
      : PrimBuilder(builder, like->getLoc(),
                    like->getAttrOfType<mlir::StringAttr>("layer")) {}

  template <typename OpT>
  OpT make(mlir::TypeRange results, mlir::ValueRange operands,
           const Attributes &attributes) {
    mlir::NamedAttrList list = attributes.list;
    if (layer)
      list.set("layer", layer);
    return OpT::create(builder, loc, results, operands, list.getAttrs());
  }
  template <typename OpT>
  OpT make(mlir::TypeRange results, mlir::ValueRange operands) {
    return make<OpT>(results, operands, attributes());
  }

  Attributes attributes() const { return Attributes(builder.getContext()); }

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::StringAttr layer;
};

/// The attributes that the three convolutions and pack_filter share, and those
/// of all windowed pools.
inline constexpr llvm::StringRef convAttributeNames[] = {
    "kernel",  "stride", "pad",      "dilation", "groups",
    "filters", "input",  "in_order", "out_order"};
inline constexpr llvm::StringRef windowAttributeNames[] = {"kernel", "stride",
                                                           "pad", "output"};

/// The program of that kind, or null.
inline root::ProgramOp findProgram(root::ModelOp model,
                                   root::ProgramKind kind) {
  for (auto program : model.getBody().getOps<root::ProgramOp>())
    if (program.getKind() == kind)
      return program;
  return {};
}

} // namespace rootc

#endif // ROOTC_TRANSFORMS_PRIMBUILDER_H
