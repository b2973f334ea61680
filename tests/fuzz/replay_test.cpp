// Every target on every file of its corpus: whole, cut short at every byte, and with flipped bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "targets.h"

namespace tenon::fuzz {
namespace {

/// The corpus of its own, and test data of its format.
std::vector<std::filesystem::path> folders_of(std::string_view target) {
  const std::filesystem::path tests = std::filesystem::path(TENON_SOURCE_DIR) / "tests";
  std::vector<std::filesystem::path> folders = {tests / "fuzz" / "corpus" / target};
  if (target == "pt2") folders.push_back(tests / "data" / "pt2");
  if (target == "torch_save") folders.push_back(tests / "data" / "torch");
  if (target == "npy" || target == "zip") folders.push_back(tests / "data" / "npy");
  if (target == "image") folders.push_back(tests / "data" / "image");
  return folders;
}

struct Seed {
  std::string name;
  std::string bytes;
};

std::vector<Seed> seeds_of(std::string_view target) {
  std::vector<Seed> seeds;
  for (const auto& folder : folders_of(target)) {
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      seeds.push_back({entry.path().filename().string(), {std::istreambuf_iterator<char>(file), {}}});
    }
  }
  std::sort(seeds.begin(), seeds.end(), [](const Seed& a, const Seed& b) { return a.name < b.name; });
  return seeds;
}

void run(const Target& target, std::string_view bytes) {
  run_limited(target, std::as_bytes(std::span(bytes)));
}

class FuzzCorpus : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, Whole) {
  const std::vector<Seed> seeds = seeds_of(GetParam().name);
  EXPECT_FALSE(seeds.empty());
  for (const Seed& seed : seeds) {
    SCOPED_TRACE(seed.name);
    run(GetParam(), seed.bytes);
  }
}

// Cuts at every byte of small files; at as many places, evenly spread, of larger ones.
TEST_P(FuzzCorpus, Truncated) {
  constexpr size_t kCutsMax = 3000;
  for (const Seed& seed : seeds_of(GetParam().name)) {
    SCOPED_TRACE(seed.name);
    const size_t step = seed.bytes.size() / kCutsMax + 1;
    for (size_t length = 0; length < seed.bytes.size(); length += step)
      run(GetParam(), std::string_view(seed.bytes).substr(0, length));
  }
}

TEST_P(FuzzCorpus, FlippedBits) {
  std::mt19937_64 random(1);
  for (const Seed& seed : seeds_of(GetParam().name)) {
    SCOPED_TRACE(seed.name);
    if (seed.bytes.empty()) continue;
    for (int i = 0; i < 400; ++i) {
      std::string damaged = seed.bytes;
      for (uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
        char& byte = damaged[random() % damaged.size()];
        byte = static_cast<char>(byte ^ (1 << random() % 8));
      }
      run(GetParam(), damaged);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FuzzCorpus, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace tenon::fuzz
