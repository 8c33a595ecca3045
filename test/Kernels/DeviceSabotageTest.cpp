//===- DeviceSabotageTest.cpp - Wrong kernels are caught ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a wrong schedule for a device would do, done to the loops of right ones:
// each must change what the comparison with the reference sees. Barriers are
// not among them: PoCL runs threads one after another between them.
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Families.h"
#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <functional>
#include <gtest/gtest.h>
#include <memory>

using namespace rootc::test;
using namespace Halide::Internal;
using rootc::codegen::ConvShape;

namespace {

bool isZero(const Halide::Expr &value) {
  auto *number = value.as<FloatImm>();
  return number && number->value == 0;
}

/// Changes what `change` says, and counts how often.
class Saboteur : public IRMutator {
public:
  int changes = 0;
};

/// Loops of a kind are a turn too short: of a Func's last definition.
class ShortLoops : public Saboteur {
public:
  ShortLoops(ForType type, std::string name)
      : type(type), name(std::move(name)) {}

private:
  using IRMutator::visit;
  Stmt visit(const For *loop) override {
    Stmt body = mutate(loop->body);
    auto *extent = loop->extent.as<IntImm>();
    bool one = extent && extent->value == 1;
    if (loop->for_type == type && !one && loop->name.starts_with(name) &&
        (type != ForType::Serial ||
         loop->name.find(".s1.") != std::string::npos))
      ++changes;
    else
      one = true;
    return For::make(loop->name, loop->min,
                     one ? loop->extent : loop->extent - 1, loop->for_type,
                     loop->partition_policy, loop->device_api, body);
  }
  ForType type;
  std::string name;
};

/// Loads of a buffer are of the value beside.
class NextLoads : public Saboteur {
public:
  explicit NextLoads(std::string name) : name(std::move(name)) {}

private:
  using IRMutator::visit;
  Halide::Expr visit(const Load *load) override {
    if (load->name.find(name) == std::string::npos)
      return IRMutator::visit(load);
    ++changes;
    return Load::make(load->type, load->name, mutate(load->index) ^ 1,
                      load->image, load->param, load->predicate,
                      ModulusRemainder());
  }
  std::string name;
};

/// Stores to a buffer go to the place beside, zeros become ones, or there are
/// none.
class WrongStores : public Saboteur {
public:
  enum Kind { Beside, Ones, None };
  WrongStores(Kind kind, std::string name)
      : kind(kind), name(std::move(name)) {}

private:
  using IRMutator::visit;
  Stmt visit(const Store *store) override {
    if (store->name.find(name) == std::string::npos ||
        (kind == Ones && !isZero(store->value)))
      return IRMutator::visit(store);
    ++changes;
    if (kind == None)
      return Evaluate::make(0);
    return Store::make(store->name,
                       kind == Ones ? Halide::Expr(1.0f) : store->value,
                       kind == Beside ? store->index ^ 1 : store->index,
                       store->param, store->predicate, ModulusRemainder());
  }
  Kind kind;
  std::string name;
};

/// The zeros around a map are what lies at its edge.
class NoZeros : public Saboteur {
  using IRMutator::visit;
  Halide::Expr visit(const Select *select) override {
    if (!isZero(select->false_value))
      return IRMutator::visit(select);
    ++changes;
    return mutate(select->true_value);
  }
};

struct Case {
  const char *name;
  ConvKind kind;
  std::function<std::unique_ptr<Saboteur>()> sabotage;
};

const Case cases[] = {
    {"ReductionTooShort", ConvKind::Forward,
     [] {
       return std::make_unique<ShortLoops>(ForType::Serial, "accumulator");
     }},
    {"BlockMissing", ConvKind::Forward,
     [] { return std::make_unique<ShortLoops>(ForType::GPUBlock, "output"); }},
    {"TileBesideItsPlace", ConvKind::Forward,
     [] {
       return std::make_unique<WrongStores>(WrongStores::Beside, "output");
     }},
    {"SumsNotCleared", ConvKind::Forward,
     [] {
       return std::make_unique<WrongStores>(WrongStores::Ones, "accumulator");
     }},
    {"SharedTileNotFilled", ConvKind::Forward,
     [] { return std::make_unique<WrongStores>(WrongStores::None, "strip"); }},
    {"SharedTileReadBeside", ConvKind::Forward,
     [] { return std::make_unique<NextLoads>("strip"); }},
    {"NoZerosAroundTheMap", ConvKind::Forward,
     [] { return std::make_unique<NoZeros>(); }},
    {"OtherChannelsOfTheFilter", ConvKind::BackwardData,
     [] { return std::make_unique<NextLoads>("in1"); }},
    {"ChunkUnsummed", ConvKind::BackwardFilter,
     [] { return std::make_unique<ShortLoops>(ForType::Serial, "total"); }},
    {"ImageUnsummed", ConvKind::BackwardFilter,
     [] { return std::make_unique<ShortLoops>(ForType::Serial, "partial"); }},
    {"PartialNotStored", ConvKind::BackwardFilter,
     [] {
       return std::make_unique<WrongStores>(WrongStores::None, "partial");
     }},
};

class DeviceSabotage : public ::testing::TestWithParam<Case> {};

TEST_P(DeviceSabotage, IsCaught) {
  ConvShape shape{6, 6, 12, 12, 2, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  Kernel kernel = convKernel(GetParam().kind, shape, testTarget());
  auto inputs = makeInputs(kernel, 16); // one for each chunk of the gradient
  auto want = rootc::reference::evaluate(kernel, inputs);
  EXPECT_EQ(difference(runOnDevice(kernel, inputs), want, 4e-6), "");
  auto saboteur = GetParam().sabotage();
  auto got = runOnDevice(kernel, inputs, [&](Halide::Pipeline &pipeline) {
    pipeline.add_custom_lowering_pass(saboteur.get(), nullptr);
  });
  EXPECT_GT(saboteur->changes, 0);
  EXPECT_NE(difference(got, want, 4e-6), "");
}

INSTANTIATE_TEST_SUITE_P(Kernels, DeviceSabotage, ::testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
