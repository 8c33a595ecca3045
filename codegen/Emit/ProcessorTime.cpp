//===- ProcessorTime.cpp - What processes have computed -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/ProcessorTime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

namespace rootc::codegen {

namespace {

struct Process {
  pid_t id, parent;
  long ticks;
};

std::optional<Process> readProcess(const std::string &id) {
  std::unique_ptr<FILE, int (*)(FILE *)> file(
      fopen(("/proc/" + id + "/stat").c_str(), "re"), fclose);
  char text[1024];
  if (!file || !fgets(text, sizeof text, file.get()))
    return std::nullopt;
  // The program's name, in brackets, may hold anything.
  const char *rest = strrchr(text, ')');
  int parent = 0;
  unsigned long user = 0, system = 0;
  long childrenUser = 0, childrenSystem = 0;
  if (!rest ||
      sscanf(rest + 1,
             " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
             &parent, &user, &system, &childrenUser, &childrenSystem) != 5)
    return std::nullopt;
  return Process{atoi(id.c_str()), parent,
                 long(user + system) + childrenUser + childrenSystem};
}

std::vector<Process> readOthers(pid_t self) {
  std::vector<Process> all;
  std::unique_ptr<DIR, int (*)(DIR *)> folder(opendir("/proc"), closedir);
  if (!folder)
    return all;
  while (const dirent *entry = readdir(folder.get()))
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
      if (auto found = readProcess(entry->d_name); found && found->id != self)
        all.push_back(*found);
  return all;
}

} // namespace

std::optional<double> processorSeconds(pid_t process, bool withDescendants) {
  std::optional<Process> self = readProcess(std::to_string(process));
  if (!self)
    return std::nullopt;
  long ticks = self->ticks;
  std::vector<Process> others;
  if (withDescendants)
    others = readOthers(process);
  std::set<pid_t> family = {process};
  for (size_t before = 0; before != family.size();) {
    before = family.size();
    for (const Process &other : others)
      if (family.count(other.parent) && family.insert(other.id).second)
        ticks += other.ticks;
  }
  return double(ticks) / double(sysconf(_SC_CLK_TCK));
}

} // namespace rootc::codegen
