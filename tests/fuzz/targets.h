// What reads bytes from outside, one entry for each format. libFuzzer calls them with inputs of its own
// (./dev fuzz), and replay_test.cpp with the committed corpora, cut short and damaged.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tenon::fuzz {

struct Target {
  std::string_view name;
  /// Takes the bytes as far as a user's command would. Whatever they are, it returns: a crash, a hang or a
  /// read outside of `bytes` is the finding.
  void (*run)(std::span<const std::byte> bytes);
};

/// Runs the target with 64 MiB for its tensors (tenon/memory.h).
void run_limited(const Target& target, std::span<const std::byte> bytes);

std::span<const Target> targets();
/// Null when there is none of that name.
const Target* find_target(std::string_view name);

}  // namespace tenon::fuzz
