// PNG through libspng.
#include <spng.h>

#include <memory>

#include "base/try.h"
#include "image/codecs.h"

namespace tenon {

namespace {

/// Text and profile chunks, which are decompressed too, may take this much.
constexpr size_t kMaxChunkBytes = size_t{16} << 20;

Error damaged(int code) {
  if (code == SPNG_EMEM) return fail(ErrorCode::kOutOfMemory, "memory ran out in the PNG decoder");
  if (code == SPNG_IO_EOF) return fail(ErrorCode::kMalformed, "the PNG is cut short");
  return fail(ErrorCode::kMalformed, "the PNG is damaged: {}", spng_strerror(code));
}

}  // namespace

Result<DecodedImage> decode_png(std::span<const std::byte> bytes, const DecodeOptions& options) {
  std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> context(spng_ctx_new(0), spng_ctx_free);
  if (context == nullptr) return damaged(SPNG_EMEM);
  if (int code = spng_set_chunk_limits(context.get(), kMaxChunkBytes, kMaxChunkBytes)) return damaged(code);
  if (int code = spng_set_png_buffer(context.get(), bytes.data(), bytes.size())) return damaged(code);
  spng_ihdr header = {};
  if (int code = spng_get_ihdr(context.get(), &header)) return damaged(code);

  DecodedImage decoded;
  decoded.image = TENON_TRY(allocate_image(header.width, header.height, options));
  auto& pixels = decoded.image.pixels;
  if (int code = spng_decode_image(context.get(), pixels.data(), pixels.size(), SPNG_FMT_RGB8, 0))
    return damaged(code);
  // eXIf may stand before or behind the pixels. These are whole now: what is wrong with later chunks is no
  // matter.
  spng_exif exif = {};
  if (spng_decode_chunks(context.get()) == SPNG_OK && spng_get_exif(context.get(), &exif) == SPNG_OK)
    decoded.orientation = exif_orientation(std::as_bytes(std::span(exif.data, exif.length)));
  return decoded;
}

}  // namespace tenon
