//===- ModelFile.h - An ONNX file, read with suspicion ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything a file claims is compared with the bytes that are there before
// memory is taken for it: the number of messages, sizes of tensors, and
// external data, which must lie in the model's folder.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_MODELFILE_H
#define ROOTC_ONNX_IMPORT_MODELFILE_H

#include "lib/Onnx/Import/Constant.h"

#include <map>
#include <onnx/onnx.pb.h>
#include <string>

namespace rootc::importer {

/// A name from a file, for messages: quoted, short, nothing but printable
/// characters.
std::string quote(const std::string &name);

class ModelFile {
public:
  /// Throws if it cannot be read or is not an ONNX model of opset 9 or newer.
  explicit ModelFile(const std::string &path);

  const std::string &path() const { return file; }
  const ::onnx::GraphProto &graph() const { return model.graph(); }
  int64_t opset() const { return version; }
  /// Null if there is none of this key.
  const std::string *metadata(const std::string &key) const;
  /// The tensor's values. Throws if its size is not its shape's.
  Constant decode(const ::onnx::TensorProto &tensor);
  /// Bytes of the file and of the external data read so far: what its tensors
  /// may claim.
  int64_t bytes() const { return present; }

private:
  std::vector<char> readExternal(const ::onnx::TensorProto &tensor,
                                 int64_t needed);

  std::string file;
  ::onnx::ModelProto model;
  int64_t version = 0;
  int64_t present = 0;
  int64_t externalLeft = 0; ///< bytes of external files, less those read
  std::map<std::string, int64_t> externalSizes;
};

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_MODELFILE_H
