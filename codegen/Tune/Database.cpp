//===- Database.cpp - What was tried, and how fast it was -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Database.h"
#include "codegen/Schedules/Point.h"

#include <array>
#include <bit>
#include <sqlite3.h>
#include <sstream>
#include <stdexcept>

namespace rootc::codegen {

namespace {

/// "ROOT", by which the file is known; and the version of its tables.
constexpr int64_t applicationId = 0x524f4f54, version = 1;

constexpr std::array<const char *, 5> stateNames = {"rule", "better", "slower",
                                                    "failed", "wrong"};

TrialState stateOfName(const std::string &name) {
  for (size_t i = 0; i < stateNames.size(); ++i)
    if (name == stateNames[i])
      return TrialState(i);
  throw std::runtime_error("a trial's state is '" + name + "'");
}

const char tables[] =
    "CREATE TABLE problem (id INTEGER PRIMARY KEY, label TEXT NOT NULL,"
    " kernel TEXT NOT NULL, target TEXT NOT NULL, cpu TEXT NOT NULL,"
    " threads INTEGER NOT NULL, batch INTEGER NOT NULL,"
    " generator TEXT NOT NULL,"
    " UNIQUE (kernel, target, cpu, threads, batch, generator));"
    "CREATE TABLE trial (id INTEGER PRIMARY KEY,"
    " problem INTEGER NOT NULL REFERENCES problem (id),"
    " schedule TEXT NOT NULL, state TEXT NOT NULL,"
    " milliseconds REAL NOT NULL, relative REAL NOT NULL,"
    " note TEXT NOT NULL, UNIQUE (problem, schedule));";

} // namespace

std::string problemText(const Kernel &kernel, bool packsOnce) {
  return signature(withoutPoint(kernel, packsOnce));
}

int64_t batchClass(int64_t batch) {
  return int64_t(std::bit_floor(uint64_t(batch < 1 ? 1 : batch)));
}

std::string scheduleText(const Schedule &schedule) {
  std::string text;
  for (const auto &[key, value] : schedule)
    text += (text.empty() ? "" : " ") + key + "=" + std::to_string(value);
  return text;
}

Schedule scheduleFromText(const std::string &text) {
  Schedule schedule;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    size_t equals = word.find('='), used = 0;
    std::string value =
        equals == std::string::npos ? "" : word.substr(equals + 1);
    try {
      schedule[word.substr(0, equals)] = std::stoll(value, &used);
    } catch (const std::logic_error &) {
    }
    if (value.empty() || used != value.size())
      throw std::runtime_error("'" + word + "' in a schedule is no key=number");
  }
  return schedule;
}

/// A prepared statement with its values bound; finalised with the object.
class TuneDatabase::Statement {
public:
  template <typename... Values>
  Statement(const TuneDatabase &owner, const char *text, const Values &...value)
      : owner(owner) {
    if (sqlite3_prepare_v2(owner.database, text, -1, &statement, nullptr))
      owner.fail();
    int index = 0;
    (bind(++index, value), ...);
  }
  ~Statement() { sqlite3_finalize(statement); }
  Statement(const Statement &) = delete;

  /// Whether there is a row.
  bool step() {
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
      owner.fail();
    return result == SQLITE_ROW;
  }
  int64_t integer(int column) const {
    return sqlite3_column_int64(statement, column);
  }
  double real(int column) const {
    return sqlite3_column_double(statement, column);
  }
  std::string text(int column) const {
    auto *bytes =
        reinterpret_cast<const char *>(sqlite3_column_text(statement, column));
    return bytes ? bytes : "";
  }

private:
  void bind(int index, int64_t value) {
    sqlite3_bind_int64(statement, index, value);
  }
  void bind(int index, double value) {
    sqlite3_bind_double(statement, index, value);
  }
  void bind(int index, const std::string &value) {
    sqlite3_bind_text(statement, index, value.data(), int(value.size()),
                      SQLITE_TRANSIENT);
  }

  const TuneDatabase &owner;
  sqlite3_stmt *statement = nullptr;
};

void TuneDatabase::fail() const {
  throw std::runtime_error(
      path + ": " + (database ? sqlite3_errmsg(database) : "memory ran out"));
}

// A reader opens the file for writing too, where it may: a writer that was
// killed has left a journal to be taken back.
TuneDatabase::TuneDatabase(const std::string &path, Mode mode)
    : path(path), mode(mode) {
  int flags =
      SQLITE_OPEN_READWRITE | (mode == Mode::Write ? SQLITE_OPEN_CREATE : 0);
  try {
    if (sqlite3_open_v2(path.c_str(), &database, flags, nullptr))
      fail();
    sqlite3_busy_timeout(database, 60'000);
    auto pragma = [&](const char *text) {
      Statement statement(*this, text);
      return statement.step() ? statement.integer(0) : 0;
    };
    if (mode == Mode::Write) {
      setJournal("WAL");
      sqlite3_exec(database, "PRAGMA synchronous=NORMAL", nullptr, nullptr,
                   nullptr);
      // Two programs may make it at once.
      Statement(*this, "BEGIN IMMEDIATE").step();
      if (!Statement(*this, "SELECT 1 FROM sqlite_schema").step() &&
          (sqlite3_exec(database, tables, nullptr, nullptr, nullptr) ||
           sqlite3_exec(
               database,
               ("PRAGMA application_id=" + std::to_string(applicationId) +
                "; PRAGMA user_version=" + std::to_string(version))
                   .c_str(),
               nullptr, nullptr, nullptr)))
        fail();
      Statement(*this, "COMMIT").step();
    }
    if (pragma("PRAGMA application_id") != applicationId)
      throw std::runtime_error(path + ": no database of rootc-tune");
    if (pragma("PRAGMA user_version") != version)
      throw std::runtime_error(
          path + ": a database of another version of rootc-tune; tune anew");
    if (mode == Mode::Read)
      pragma("PRAGMA query_only=ON");
  } catch (...) {
    sqlite3_close(database);
    throw;
  }
}

TuneDatabase::~TuneDatabase() {
  if (mode == Mode::Write)
    setJournal("DELETE");
  sqlite3_close(database);
}

// A log needs no wait for the disk at each trial; at rest, with nobody else at
// it, all is in one file, which may be copied. Where others have it open it
// stays as they need it.
void TuneDatabase::setJournal(const char *kind) {
  sqlite3_exec(database, (std::string("PRAGMA journal_mode=") + kind).c_str(),
               nullptr, nullptr, nullptr);
}

int64_t TuneDatabase::problem(const TuneProblem &problem,
                              const TuneMachine &machine, int64_t batch,
                              const std::string &label) {
  int64_t size = batchClass(batch);
  if (mode == Mode::Write)
    Statement(*this,
              "INSERT OR IGNORE INTO problem (label, kernel, target, cpu,"
              " threads, batch, generator) VALUES (?, ?, ?, ?, ?, ?, ?)",
              label, problem.kernel, machine.target, machine.cpu,
              machine.threads, size, problem.generator)
        .step();
  Statement row(*this,
                "SELECT id FROM problem WHERE kernel = ? AND target = ? AND"
                " cpu = ? AND threads = ? AND batch = ? AND generator = ?",
                problem.kernel, machine.target, machine.cpu, machine.threads,
                size, problem.generator);
  return row.step() ? row.integer(0) : 0;
}

static const char columns[] =
    "SELECT schedule, state, milliseconds, relative, note FROM trial ";

std::optional<Trial> TuneDatabase::find(int64_t problem,
                                        const Schedule &schedule) const {
  Statement row(
      *this,
      (std::string(columns) + "WHERE problem = ? AND schedule = ?").c_str(),
      problem, scheduleText(schedule));
  if (!row.step())
    return std::nullopt;
  return Trial{schedule, stateOfName(row.text(1)), row.real(2), row.real(3),
               row.text(4)};
}

void TuneDatabase::add(int64_t problem, const Trial &trial) {
  Statement(*this,
            "INSERT OR IGNORE INTO trial (problem, schedule, state,"
            " milliseconds, relative, note) VALUES (?, ?, ?, ?, ?, ?)",
            problem, scheduleText(trial.schedule),
            std::string(stateNames.at(size_t(trial.state))), trial.milliseconds,
            trial.relative, trial.note)
      .step();
}

std::vector<Trial> TuneDatabase::trials(int64_t problem) const {
  Statement row(
      *this, (std::string(columns) + "WHERE problem = ? ORDER BY id").c_str(),
      problem);
  std::vector<Trial> all;
  while (row.step())
    all.push_back({scheduleFromText(row.text(0)), stateOfName(row.text(1)),
                   row.real(2), row.real(3), row.text(4)});
  return all;
}

std::optional<TuneRecord> TuneDatabase::record(const TuneProblem &problem,
                                               const TuneMachine &machine,
                                               int64_t batch) const {
  Statement row(*this,
                "SELECT schedule, relative, batch, trial.id"
                " FROM problem JOIN trial ON problem.id = trial.problem"
                " WHERE kernel = ? AND target = ? AND cpu = ? AND threads = ?"
                " AND generator = ? AND (batch = ?6 OR ?6 = 0)"
                " AND state IN ('rule', 'better')"
                " ORDER BY batch DESC, relative, trial.id LIMIT 1",
                problem.kernel, machine.target, machine.cpu, machine.threads,
                problem.generator, batch ? batchClass(batch) : 0);
  if (!row.step())
    return std::nullopt;
  return TuneRecord{scheduleFromText(row.text(0)), row.real(1), row.integer(2),
                    row.integer(3)};
}

std::vector<TuneDatabase::Other>
TuneDatabase::others(const TuneProblem &problem,
                     const TuneMachine &machine) const {
  Statement row(*this,
                "SELECT DISTINCT target, cpu, threads, generator FROM problem"
                " WHERE kernel = ?1 AND EXISTS (SELECT 1 FROM trial WHERE"
                " trial.problem = problem.id AND state IN ('rule', 'better'))"
                " AND NOT (target = ?2 AND cpu = ?3 AND threads = ?4 AND"
                " generator = ?5) ORDER BY 1, 2, 3, 4",
                problem.kernel, machine.target, machine.cpu, machine.threads,
                problem.generator);
  std::vector<Other> all;
  while (row.step())
    all.push_back({{row.text(0), row.text(1), row.integer(2)}, row.text(3)});
  return all;
}

std::vector<TuneDatabase::Found> TuneDatabase::found() const {
  // SQLite takes the other columns from the row of the least.
  Statement row(*this,
                "SELECT kernel, generator, target, cpu, threads, label,"
                " schedule, min(relative), batch, trial.id"
                " FROM problem JOIN trial ON problem.id = trial.problem"
                " WHERE state = 'better' GROUP BY problem.id ORDER BY 1, 10");
  std::vector<Found> all;
  while (row.step())
    all.push_back({{row.text(0), row.text(1)},
                   {row.text(2), row.text(3), row.integer(4)},
                   row.text(5),
                   {scheduleFromText(row.text(6)), row.real(7), row.integer(8),
                    row.integer(9)}});
  return all;
}

std::vector<std::string>
TuneDatabase::machines(const std::string &target) const {
  Statement row(
      *this, "SELECT DISTINCT cpu FROM problem WHERE target = ? ORDER BY cpu",
      target);
  std::vector<std::string> all;
  while (row.step())
    all.push_back(row.text(0));
  return all;
}

} // namespace rootc::codegen
