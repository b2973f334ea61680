#include "formats/npy/npy_array.h"

#include <algorithm>

#include "base/try.h"
#include "formats/npy/npy_header.h"
#include "formats/npy/npy_strings.h"
#include "formats/torch/strided.h"
#include "tensor/element.h"

namespace tenon {

namespace {

/// Strides, in elements, of the array's elements as they lie in the file.
StridedLayout layout_of(const NpyHeader& header) {
  StridedLayout layout;
  layout.sizes = header.shape;
  layout.strides = contiguous_strides(header.shape);
  if (!header.fortran_order) return layout;
  std::vector<int64_t> reversed = contiguous_strides({header.shape.rbegin(), header.shape.rend()});
  layout.strides.assign(reversed.rbegin(), reversed.rend());
  return layout;
}

/// The bytes of `count` elements with each number's own bytes reversed.
SharedBytes reverse_bytes(DataType type, std::span<const std::byte> data) {
  bool is_complex = compute_kind(type) == ComputeKind::kComplex;
  size_t width = is_complex ? element_size(type) / 2 : element_size(type);
  Tensor copy = Tensor::allocate(DataType::kUInt8, {static_cast<int64_t>(data.size())});
  std::byte* out = copy.mutable_raw();
  for (size_t i = 0; i < data.size(); i += width) std::reverse_copy(&data[i], &data[i] + width, out + i);
  return {{copy.raw(), copy.bytes()}, copy.owner()};
}

/// Any byte but 0 counts as true, and becomes 1, which is what kernels rely on.
Tensor normalise_bools(const Tensor& tensor) {
  Tensor result = Tensor::allocate(DataType::kBool, tensor.shape());
  std::transform(tensor.raw(), tensor.raw() + tensor.bytes(), result.mutable_raw(),
                 [](std::byte b) { return b == std::byte{0} ? b : std::byte{1}; });
  return result;
}

Result<Tensor> decode_numbers(const NpyHeader& header, SharedBytes data) {
  const NpyType& type = header.type;
  if (type.big_endian && type.item_bytes > 1) data = reverse_bytes(type.type, data.bytes);
  size_t budget = data.size();
  Tensor tensor = TENON_TRY(load_strided(type.type, layout_of(header), data, budget));
  return type.type == DataType::kBool ? normalise_bools(tensor) : tensor;
}

Result<Tensor> decode_strings(const NpyHeader& header, const SharedBytes& data, size_t count) {
  Tensor result = Tensor::allocate(DataType::kString, header.shape);
  StridedLayout layout = layout_of(header);
  std::vector<int64_t> index(header.shape.size());
  for (size_t i = 0; i < count; ++i) {
    size_t at = 0;
    for (size_t axis = 0; axis < index.size(); ++axis)
      at += static_cast<size_t>(index[axis] * layout.strides[axis]);
    auto item = data.bytes.subspan(at * header.type.item_bytes, header.type.item_bytes);
    result.mutable_data<std::string>()[i] = TENON_TRY(decode_npy_string(header.type, item));
    for (size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < header.shape[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}

/// The type that holds every value of a type that NumPy lacks.
DataType wider_type(DataType type) {
  if (is_float(type)) return DataType::kFloat32;
  return compute_kind(type) == ComputeKind::kSigned ? DataType::kInt8 : DataType::kUInt8;
}

Tensor widen(const Tensor& tensor) {
  Tensor result = Tensor::allocate(wider_type(tensor.type()), tensor.shape());
  for (int64_t i = 0; i < tensor.size(); ++i) store_element(result, i, load_element<double>(tensor, i));
  return result;
}

}  // namespace

Result<Tensor> decode_npy(const SharedBytes& file) {
  size_t strings_budget_bytes = expansion_limit_bytes(file.size());
  return decode_npy(file, strings_budget_bytes);
}

Result<Tensor> decode_npy(const SharedBytes& file, size_t& strings_budget_bytes) {
  NpyHeader header = TENON_TRY(parse_npy_header(file.bytes));
  auto count = static_cast<size_t>(TENON_TRY(element_count(header.shape)));
  size_t needed = 0;
  size_t available = file.size() - header.data_offset;
  if (__builtin_mul_overflow(count, header.type.item_bytes, &needed) || needed > available)
    return fail(ErrorCode::kMalformed,
                "the npy file is cut short: {} elements of {} bytes are announced, {} bytes are there", count,
                header.type.item_bytes, available);
  if (count == 0) return Tensor::allocate(header.type.type, header.shape);
  SharedBytes data = file.part(header.data_offset, needed);
  if (header.type.kind == NpyKind::kNumber) return decode_numbers(header, std::move(data));
  if (count > strings_budget_bytes / sizeof(std::string))
    return fail(ErrorCode::kLimit, "the npy file announces {} strings in {} bytes", count, file.size());
  strings_budget_bytes -= count * sizeof(std::string);
  return decode_strings(header, data, count);
}

Result<EncodedNpy> encode_npy(const Tensor& tensor) {
  if (!tensor.defined()) return fail(ErrorCode::kUsage, "there is no tensor to write");
  if (tensor.is_string()) {
    NpyStrings strings = TENON_TRY(encode_npy_strings(tensor.strings()));
    auto data = std::make_shared<std::string>(std::move(strings.data));
    return EncodedNpy{format_npy_header(strings.descr, tensor.shape()),
                      {std::as_bytes(std::span(*data)), data}};
  }
  if (npy_descr(tensor.type()).empty()) return encode_npy(widen(tensor));
  return EncodedNpy{format_npy_header(npy_descr(tensor.type()), tensor.shape()),
                    {{tensor.raw(), tensor.bytes()}, tensor.owner()}};
}

}  // namespace tenon
