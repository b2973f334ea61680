// How products go through the caches: a band of register tiles is multiplied, kSumBlock terms at a time, with
// a group of panels, so that the weights of a panel stay in the nearest cache while the band goes by, and
// the band's input and sums in the second one while the panels do. No bits depend on it.
#pragma once

#include <cstdint>

#include "kernels/services.h"

namespace tenon::kernels {

/// `batches` times `tiles` tiles (of rows or pixels) with each of `panels` panels (of columns or channels).
struct Blocking {
  int64_t batches = 1, tiles = 1, panels = 1;
  int64_t bands = 1;  ///< That the tiles of a batch are cut into, as evenly as they go.
  int64_t group = 1;  ///< Panels that a band is multiplied with at a time.

  /// `tile_input_floats`: that one tile reads in kSumBlock terms. `tile_sum_floats`: its sums, kept from one
  /// block of terms to the next; 0 when there is one block only.
  Blocking(int64_t batches, int64_t tiles, int64_t panels, int64_t tile_input_floats, int64_t tile_sum_floats,
           int threads);

  int64_t first_tile(int64_t band) const { return band * tiles / bands; }
  int64_t max_tiles() const { return (tiles - 1) / bands + 1; }
};

/// A band with a group of panels.
struct BlockedWork {
  int64_t batch, first_tile, last_tile, first_panel, last_panel;  // [first, last)
};

/// The works of one thread, one after the other.
class BlockedShare {
 public:
  BlockedShare(const Blocking& blocking, int64_t begin, int64_t end)
      : blocking_(blocking), at_(begin), end_(end) {}
  /// False when there is none left.
  bool next(BlockedWork& work);

 private:
  const Blocking& blocking_;
  int64_t at_, end_;
};

/// Shares all works of `blocking` among the threads: calls body(share), perhaps at the same time.
template <class Body>
void for_each_share(const Blocking& blocking, const Services& services, const Body& body) {
  services.parallel_for(blocking.batches * blocking.bands * blocking.panels, 1,
                        [&](int64_t begin, int64_t end) { body(BlockedShare(blocking, begin, end)); });
}

}  // namespace tenon::kernels
