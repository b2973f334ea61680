// WebP through libwebp.
#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "base/try.h"
#include "image/codecs.h"

namespace tenon {

namespace {

std::string_view describe(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "memory ran out";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a feature that is not supported";
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "it is cut short";
    default:
      return "its bytes do not decode";
  }
}

Orientation webp_orientation(const WebPData& data) {
  std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)> demuxer(WebPDemux(&data), WebPDemuxDelete);
  WebPChunkIterator chunk = {};
  Orientation orientation = Orientation::kNormal;
  if (demuxer != nullptr && WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk) != 0)
    orientation = exif_orientation(std::as_bytes(std::span(chunk.chunk.bytes, chunk.chunk.size)));
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

}  // namespace

Result<DecodedImage> decode_webp(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPDecoderConfig config = {};
  if (WebPInitDecoderConfig(&config) == 0)
    return fail(ErrorCode::kUnavailable, "the WebP library that is installed does not fit this build");
  VP8StatusCode status = WebPGetFeatures(data, bytes.size(), &config.input);
  if (status != VP8_STATUS_OK)
    return fail(ErrorCode::kMalformed, "the WebP is damaged: {}", describe(status));
  if (config.input.has_animation != 0)
    return with_hint(fail(ErrorCode::kUnsupported, "the WebP is animated"), "take one frame of it");

  DecodedImage decoded;
  decoded.image = TENON_TRY(allocate_image(config.input.width, config.input.height, options));
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = decoded.image.pixels.data();
  config.output.u.RGBA.stride = config.input.width * 3;
  config.output.u.RGBA.size = decoded.image.pixels.size();
  status = WebPDecode(data, bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status == VP8_STATUS_OUT_OF_MEMORY)
    return fail(ErrorCode::kOutOfMemory, "memory ran out in the WebP decoder");
  if (status != VP8_STATUS_OK)
    return fail(ErrorCode::kMalformed, "the WebP is damaged: {}", describe(status));
  decoded.orientation = webp_orientation({data, bytes.size()});
  return decoded;
}

}  // namespace tenon
