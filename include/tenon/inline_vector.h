// InlineVector: a std::vector whose first elements take no memory of their own.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenon {

/// A sequence with the members of std::vector, from which it converts. Up to N elements lie in the
/// object itself. T is cheap to construct without arguments.
template <class T, size_t N>
class InlineVector {
 public:
  using value_type = T;
  using size_type = size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using iterator = T*;
  using const_iterator = const T*;
  using reverse_iterator = std::reverse_iterator<iterator>;
  using const_reverse_iterator = std::reverse_iterator<const_iterator>;

  InlineVector() = default;
  InlineVector(std::initializer_list<T> items) : InlineVector(items.begin(), items.end()) {}
  explicit InlineVector(size_t count, const T& value = T()) { resize(count, value); }
  template <std::input_iterator It>
  InlineVector(It first, It last) {
    assign(first, last);
  }
  InlineVector(const std::vector<T>& items)
      : InlineVector(items.begin(), items.end()) {}  // NOLINT: implicit by design

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return size_ <= N ? inline_.data() : heap_.data(); }
  const T* data() const { return size_ <= N ? inline_.data() : heap_.data(); }
  iterator begin() { return data(); }
  iterator end() { return data() + size_; }
  const_iterator begin() const { return data(); }
  const_iterator end() const { return data() + size_; }
  const_iterator cbegin() const { return begin(); }
  const_iterator cend() const { return end(); }
  reverse_iterator rbegin() { return reverse_iterator(end()); }
  reverse_iterator rend() { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const { return const_reverse_iterator(end()); }
  const_reverse_iterator rend() const { return const_reverse_iterator(begin()); }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& front() { return *data(); }
  const T& front() const { return *data(); }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  void resize(size_t count, const T& value = T()) {
    if (count > N) {
      if (size_ <= N) heap_.assign(inline_.data(), inline_.data() + size_);
      heap_.resize(count, value);
    } else {
      if (size_ > N) std::copy_n(heap_.begin(), count, inline_.begin());
      if (count > size_) std::fill(inline_.data() + size_, inline_.data() + count, value);
      // What is left behind holds nothing.
      if (!std::is_trivially_destructible_v<T>)
        for (size_t i = count; i < std::min(size_, N); ++i) inline_[i] = T();
      heap_.clear();
    }
    size_ = count;
  }
  void clear() { resize(0); }
  void push_back(T value) {
    resize(size_ + 1);
    back() = std::move(value);
  }
  void pop_back() { resize(size_ - 1); }
  template <std::input_iterator It>
  void assign(It first, It last) {
    clear();
    for (; first != last; ++first) push_back(static_cast<T>(*first));
  }
  void assign(size_t count, const T& value) {
    clear();
    resize(count, value);
  }
  iterator insert(const_iterator at, const T& value) { return insert(at, size_t{1}, value); }
  iterator insert(const_iterator at, size_t count, const T& value) {
    const iterator gap = open(at, count);
    std::fill_n(gap, count, value);
    return gap;
  }
  /// [first, last) lies outside of this vector.
  template <std::forward_iterator It>
  iterator insert(const_iterator at, It first, It last) {
    const iterator gap = open(at, static_cast<size_t>(std::distance(first, last)));
    std::copy(first, last, gap);
    return gap;
  }
  iterator insert(const_iterator at, std::initializer_list<T> items) {
    return insert(at, items.begin(), items.end());
  }
  iterator erase(const_iterator at) { return erase(at, at + 1); }
  iterator erase(const_iterator first, const_iterator last) {
    const auto from = first - cbegin(), to = last - cbegin();
    std::copy(begin() + to, end(), begin() + from);
    resize(size_ - static_cast<size_t>(to - from));
    return begin() + from;
  }

  friend bool operator==(const InlineVector& a, const InlineVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  friend auto operator<=>(const InlineVector& a, const InlineVector& b) {
    return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  /// Moves what stands at `at` and behind by `count` places.
  iterator open(const_iterator at, size_t count) {
    const auto place = at - cbegin();
    resize(size_ + count);
    std::copy_backward(begin() + place, end() - static_cast<std::ptrdiff_t>(count), end());
    return begin() + place;
  }

  size_t size_ = 0;
  std::array<T, N> inline_{};  // all of them, up to N
  std::vector<T> heap_;        // all of them, when there are more
};

}  // namespace tenon
