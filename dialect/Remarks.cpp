//===- Remarks.cpp - What passes say of their decisions -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Remarks.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

void rootc::root::askForRemarks(ModuleOp module) {
  module->setAttr(explainAttrName, UnitAttr::get(module.getContext()));
}

bool rootc::root::wantsRemarks(Operation *op) {
  auto module = op->getParentOfType<ModuleOp>();
  return module && module->hasAttr(explainAttrName);
}

void rootc::root::addRemark(Operation *op, const Twine &text) {
  if (!wantsRemarks(op))
    return;
  SmallVector<Attribute> all;
  if (auto before = op->getAttrOfType<ArrayAttr>(remarksAttrName))
    all.append(before.begin(), before.end());
  Builder builder(op->getContext());
  all.push_back(builder.getStringAttr(text));
  op->setAttr(remarksAttrName, builder.getArrayAttr(all));
}

std::vector<std::string> rootc::root::remarksOf(Operation *op) {
  std::vector<std::string> texts;
  if (auto all = op->getAttrOfType<ArrayAttr>(remarksAttrName))
    for (Attribute text : all)
      texts.push_back(cast<StringAttr>(text).str());
  return texts;
}
