//===- rootc-import.cpp - Networks from ONNX files ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Import.h"
#include "runtime/src/Support.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

using namespace rootc;

static int report(const std::string &message) {
  std::fprintf(stderr, "rootc-import: error: %s\n", message.c_str());
  return 1;
}

static void note(const std::string &message) {
  std::fprintf(stderr, "rootc-import: note: %s\n", message.c_str());
}

/// "224x160", each from 1.
static std::string readSize(const std::string &text, ImportOptions &options) {
  auto digits = [](const std::string &part) {
    return !part.empty() && part.size() < 10 &&
           part.find_first_not_of("0123456789") == std::string::npos;
  };
  size_t cross = text.find('x');
  std::string height = text.substr(0, cross);
  std::string width = cross == std::string::npos ? "" : text.substr(cross + 1);
  if (digits(height) && digits(width)) {
    options.height = std::stoll(height);
    options.width = std::stoll(width);
  }
  return options.height > 0 && options.width > 0
             ? ""
             : "give height x width, as in --image=224x224";
}

/// "1.5,2,3"; an option of one argument, so that it takes no positional one.
static void addNumbers(CLI::App &app, const std::string &name,
                       std::vector<double> &values, const std::string &help) {
  CLI::callback_t read = [&values,
                          name](const std::vector<std::string> &arguments) {
    values.clear();
    std::stringstream text(arguments.back() + ",");
    for (std::string part; std::getline(text, part, ',');) {
      char *end = nullptr;
      double value = std::strtod(part.c_str(), &end);
      if (part.empty() || *end)
        throw CLI::ValidationError(name, "give numbers, as in " + name +
                                             "=123.7,116.3,103.5");
      values.push_back(value);
    }
    return true;
  };
  app.add_option(name, std::move(read), help)->type_name("X,...");
}

int main(int argc, char **argv) {
  prepareProcess();
  CLI::App app("Makes a network of the root dialect, and its weights, of an "
               "ONNX classifier.",
               "rootc-import");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.set_version_flag("--version", "rootc-import " ROOTC_VERSION);
  ImportOptions options;
  app.add_option("MODEL.onnx", options.input, "The model, opset 9 or newer")
      ->required();
  app.add_option("-o,--output", options.output,
                 "The network, NET.mlir; - is standard output")
      ->required();
  app.add_option("--weights", options.weights,
                 "Its weights, safetensors (default: as the network, with "
                 ".safetensors)");
  app.add_option("--logits", options.logits,
                 "The value that gives the logits (default: the only output)");
  app.add_option(
         "--image",
         [&](const std::vector<std::string> &values) {
           std::string error = readSize(values.back(), options);
           if (!error.empty())
             throw CLI::ValidationError("--image", error);
           return true;
         },
         "HxW, the size of the image where the model leaves it open")
      ->type_name("HxW");
  addNumbers(app, "--mean", options.mean,
             "An image is (pixel - mean) / scale, pixels being 0 to 255: one "
             "value, or one a channel (default: what the model says)");
  addNumbers(app, "--scale", options.scale, "See --mean");
  try {
    app.parse(argc, argv);
    if (options.weights.empty()) {
      if (options.output == "-")
        return report("with -o - give a file for the --weights");
      size_t dot = options.output.rfind('.');
      size_t slash = options.output.rfind('/');
      bool suffix = dot != std::string::npos && dot > 0 &&
                    (slash == std::string::npos || dot > slash + 1);
      options.weights =
          options.output.substr(0, suffix ? dot : std::string::npos) +
          ".safetensors";
    }
    importOnnx(options, note);
    return 0;
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0) {
      int code = app.exit(error);
      return std::cout.flush() ? code
                               : report("standard output cannot be written");
    }
    return report(std::string(error.what()) + "; see rootc-import --help");
  } catch (const Error &error) {
    return report(error.what());
  } catch (const std::bad_alloc &) {
    return report(options.input + ": memory ran out");
  } catch (const std::exception &error) {
    return report(error.what());
  }
}
