// Convolutions whose outputs are read by another operator while they are in the caches.
#include <algorithm>
#include <numeric>

#include "kernels/conv/blocked_conv_running.h"
#include "kernels/rows_behind.h"

namespace tenon::kernels {

namespace {

/// How a call goes on: so many rows of what is behind at a time, which read `span` rows at most.
struct Rounds {
  int64_t rows = 1, span = 1;
};

/// Pixels of the convolution that are in the caches at a time, for a panel of channels.
constexpr int64_t kRoundPixels = 1024;
/// Threads have bands of their own while none makes more than one row more for so many.
constexpr int64_t kRowsOfOneMore = 12;

Rounds rounds_of(const WindowRows& rows, int64_t width) {
  Rounds rounds{1, rows.span(1)};
  while (rounds.rows < rows.outputs && rows.span(2 * rounds.rows) * width <= kRoundPixels)
    rounds = {2 * rounds.rows, rows.span(2 * rounds.rows)};
  return rounds;
}

/// How rows are shared: in bands of all channels while those are even and make few rows twice, or else (1) by
/// blocks of channels, whose threads read all of the input.
int64_t bands_of(const WindowRows& rows, int64_t images, int64_t threads) {
  const int64_t bands = threads / std::gcd(images, threads);
  if (bands > rows.outputs) return 1;
  int64_t most = 0;
  for (int64_t b = 0; b < bands; ++b) {
    const WindowRows::Range range = rows.covered(b * rows.outputs / bands, (b + 1) * rows.outputs / bands);
    most = std::max(most, range.last - range.first);
  }
  return most * bands <= rows.inputs + rows.inputs / kRowsOfOneMore ? bands : 1;
}

}  // namespace

/// What a thread does at a time: rows of what is behind panels of one image.
struct BlockedConv::BehindWork {
  int64_t image;
  WindowRows::Range rows;
  int64_t first_panel, last_panel;
};

/// A thread on its way through its works.
struct BlockedConv::BehindThread {
  const RowsBehind& behind;
  Rounds rounds;
  Running running;  // out: rows of a panel, in planes of rounds.span rows
  float* partials = nullptr;
  float* scratch = nullptr;     // of what is behind
  float* copies = nullptr;      // of the input
  int64_t first = 0, last = 0;  // the rows that are kept in `out`
};

/// Makes rows [begin, end) of a panel, but for those of them that were kept.
void BlockedConv::make_rows(BehindThread& thread, const BlockedWork& panel, int64_t begin, int64_t end,
                            bool copied) const {
  Running& running = thread.running;
  const int64_t width = running.call.out_w, row = width * tiles_->lanes;
  const int64_t kept = std::clamp<int64_t>(thread.last - begin, 0, end - begin);
  for (int64_t b = 0; b < BlockedTileSet::kMaxBlocks && kept > 0; ++b) {
    float* plane = running.out.data + b * running.out.plane;
    std::copy_n(plane + (begin - thread.first) * row, kept * row, plane);
  }
  thread.first = begin;
  thread.last = end;
  running.out.first = begin * width;
  if (begin + kept == end) return;
  const BlockedWork work = tiles_of(running, panel, begin + kept, end);
  const Panel& any = panels_[static_cast<size_t>(panel.first_panel)];
  for (Part part = next_part(any, {}); part.steps > 0; part = next_part(any, part))
    multiply(running, work, part, copied ? thread.copies + part.step * (end - begin) * row : nullptr,
             thread.partials);
}

/// The tiles of rows [begin, end).
BlockedWork BlockedConv::tiles_of(Running& running, BlockedWork work, int64_t begin, int64_t end) const {
  if (running.padded.out_rows() == 1) {
    // All pixels are one row: the ones of these rows are cut into tiles of their own.
    running.first_x = begin * running.call.out_w;
    running.columns = RowTiles((end - begin) * running.call.out_w, tiles_->max_pixels);
    begin = 0;
    end = 1;
  }
  work.first_tile = begin * running.columns.tiles;
  work.last_tile = end * running.columns.tiles;
  return work;
}

/// Copies the input of a work for all of its panels, when its rows are made at once.
bool BlockedConv::copy_for_all(BehindThread& thread, const BehindWork& work) const {
  Running& running = thread.running;
  if (thread.copies == nullptr || work.last_panel - work.first_panel < kCopyPanelsMin ||
      work.rows.last - work.rows.first > thread.rounds.rows)
    return false;
  const WindowRows::Range rows = thread.behind.rows().covered(work.rows.first, work.rows.last);
  if (rows.first == rows.last) return false;
  const BlockedWork tiles = tiles_of(running, {work.image, 0, 0, 0, 0}, rows.first, rows.last);
  const int64_t pixels = (rows.last - rows.first) * running.call.out_w;
  for (Part part = next_part(panels_[0], {}); part.steps > 0; part = next_part(panels_[0], part))
    copy_band(running, tiles, panels_[0], part, thread.copies + part.step * pixels * tiles_->lanes);
  return true;
}

void BlockedConv::run_behind(BehindThread& thread, const BehindWork& work) const {
  const bool copied = copy_for_all(thread, work);
  Running& running = thread.running;
  const int64_t rows = work.rows.last - work.rows.first;
  for (int64_t p = work.first_panel; p < work.last_panel; ++p) {
    const Panel& panel = panels_[static_cast<size_t>(p)];
    thread.first = thread.last = 0;
    for (int64_t y = work.rows.first; y < work.rows.last; y += thread.rounds.rows) {
      const int64_t end = std::min(work.rows.last, y + thread.rounds.rows);
      const WindowRows::Range range = thread.behind.rows().covered(y, end);
      const int64_t plane = work.image * out_blocks_ + panel.first;
      running.out.later = thread.behind.written(plane, y, end);
      running.out.later_stride =
          panel.blocks > 1 ? thread.behind.written(plane + 1, y, end).from - running.out.later.from : 0;
      running.next = {p + 1 < work.last_panel ? p + 1 : -1, y - work.rows.first, end - y, rows};
      if (range.first < range.last && running.call.out_w > 0)
        make_rows(thread, {work.image, 0, 0, p, p + 1}, range.first, range.last, copied);
      for (int64_t b = 0; b < panel.blocks; ++b)
        thread.behind.make(plane + b, y, end, running.out.data + b * running.out.plane, thread.first,
                           thread.scratch);
    }
  }
}

/// Calls body(work) for the works of shares [begin, end), which are rows of blocks.
template <class Body>
void BlockedConv::for_blocks(int64_t rows, int64_t begin, int64_t end, const Body& body) const {
  for (int64_t image = begin / (out_blocks_ * rows); image * out_blocks_ * rows < end; ++image) {
    BehindWork work{image, {}, 0, 0};
    for (int64_t p = 0; p < static_cast<int64_t>(panels_.size()); ++p) {
      const Panel& panel = panels_[static_cast<size_t>(p)];
      const int64_t first = (image * out_blocks_ + panel.first) * rows;
      const auto row_of = [&](int64_t share) {  // a row is a share of each block
        return std::clamp<int64_t>((share - first + panel.blocks - 1) / panel.blocks, 0, rows);
      };
      const WindowRows::Range range{begin > first ? row_of(begin) : 0, end > first ? row_of(end) : 0};
      if (range.first != work.rows.first || range.last != work.rows.last) {
        if (work.rows.first < work.rows.last) body(work);
        work.rows = range;
        work.first_panel = p;
      }
      work.last_panel = p + 1;
    }
    if (work.rows.first < work.rows.last) body(work);
  }
}

bool BlockedConv::run_before(const ConvCall& call, const RowsBehind& behind, const Services& services) const {
  const int64_t rows = behind.rows().outputs, lanes = tiles_->lanes;
  if (call.images * out_blocks_ * rows == 0) return true;
  if (call.out_h * call.out_w == 0) {
    const float nothing = 0;
    float* scratch = services.scratch_floats(behind.scratch_floats());
    for (int64_t plane = 0; plane < call.images * out_blocks_; ++plane)
      behind.make(plane, 0, rows, &nothing, 0, scratch);
    return true;
  }
  const auto whole = make_running(call, services);
  if (!whole) return false;
  const Rounds rounds = rounds_of(behind.rows(), call.out_w);
  const int64_t pixels = rounds.span * call.out_w;
  const bool is_one_row = whole->padded.out_rows() == 1;
  const int64_t tiles =
      is_one_row ? RowTiles(pixels, tiles_->max_pixels).tiles : rounds.span * whole->columns.tiles;
  const bool copies = is_one_row && !planar_;
  const auto run_shares = [&](const auto& run) {
    BehindThread thread{behind, rounds, *whole};
    Running::Out& out = thread.running.out;
    out.plane = pixels * lanes;
    out.data = services.scratch_floats(BlockedTileSet::kMaxBlocks * out.plane);
    out.has_one_panel = true;
    if (has_parts()) thread.partials = services.scratch_floats(tiles * tile_sums());
    if (behind.scratch_floats() > 0) thread.scratch = services.scratch_floats(behind.scratch_floats());
    if (copies) thread.copies = services.scratch_floats(in_planes_ * pixels * lanes);
    run([&](const BehindWork& work) { run_behind(thread, work); });
  };
  const int64_t bands = bands_of(behind.rows(), call.images, services.threads);
  const auto panels = static_cast<int64_t>(panels_.size());
  if (call.images % services.threads == 0 || bands > 1)
    services.parallel_for(call.images * bands, 1, [&](int64_t begin, int64_t end) {
      run_shares([&](const auto& run) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t band = i % bands;
          run({i / bands, {band * rows / bands, (band + 1) * rows / bands}, 0, panels});
        }
      });
    });
  else
    services.parallel_for(call.images * out_blocks_ * rows, 1, [&](int64_t begin, int64_t end) {
      run_shares([&](const auto& run) { for_blocks(rows, begin, end, run); });
    });
  return true;
}

}  // namespace tenon::kernels
