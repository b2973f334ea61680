// The families of ATen operators: one table of handlers a file of this folder. find_handler looks into all of
// them; a new family is a line here and one in families.cpp.
#pragma once

#include <span>

#include "lower/context.h"

namespace tenon::lower {

std::span<const Handler> symbolic_handlers();      ///< symbolic.cpp: sym_size, arithmetic on symbolic scalars
std::span<const Handler> control_flow_handlers();  ///< control_flow.cpp: cond, while_loop, scan, map
std::span<const Handler> expand_handlers();        ///< expands.cpp: repeated elements
std::span<const Handler> factory_handlers();       ///< factories.cpp: arange, full, zeros, eye
std::span<const Handler> index_handlers();         ///< indexing.cpp: index, index_put, masks
std::span<const Handler> join_handlers();          ///< joins.cpp: cat, stack, split, chunk, unbind
std::span<const Handler> rearranging_handlers();   ///< rearranging.cpp: roll, flip, triangles, diagonals
std::span<const Handler> scatter_handlers();       ///< scatters.cpp: scatter, index_add
std::span<const Handler> searching_handlers();     ///< searching.cpp: searchsorted, bucketize
std::span<const Handler> slice_handlers();         ///< slices.cpp: parts along an axis
std::span<const Handler> view_handlers();          ///< views.cpp: shapes and orders of dimensions
std::span<const Handler> activation_handlers();    ///< activation.cpp: relu's kin, with their parameters
std::span<const Handler> arithmetic_handlers();  ///< arithmetic.cpp: add, mul, div, clamp, ... with promotion
std::span<const Handler> comparison_handlers();  ///< comparison.cpp: eq, lt, logic, bits, where
std::span<const Handler> norm_handlers();        ///< norm.cpp: batch, layer, group, instance, RMS
std::span<const Handler> order_handlers();       ///< order.cpp: argmax, topk, sort, cumsum
std::span<const Handler> pointwise_handlers();   ///< pointwise.cpp: exp, sin, floor, isnan, ...
std::span<const Handler> reduction_handlers();   ///< reduction.cpp: sum, mean, amax, var, norm
std::span<const Handler> softmax_handlers();     ///< softmax.cpp: softmax, dropout, conversions of type

std::span<const Handler> convolution_handlers();  ///< convolution.cpp: conv1d to conv3d, transposed
std::span<const Handler> product_handlers();      ///< products.cpp: linear, matmul, einsum
std::span<const Handler> pooling_handlers();      ///< pooling.cpp: max, average, adaptive

std::span<const Handler> linear_algebra_handlers();  ///< linear_algebra.cpp: outer, cross, tensordot, addmv
std::span<const Handler> loss_handlers();            ///< losses.cpp: mse_loss, huber_loss, cross-entropies
std::span<const Handler> special_handlers();         ///< special.cpp: fmax, copysign, xlogy, isclose, diff
std::span<const Handler> unique_handlers();          ///< uniques.cpp: unique, bincount, isin

std::span<const Handler> attention_handlers();  ///< attention.cpp: scaled dot-product attention
std::span<const Handler> padding_handlers();    ///< padding.cpp: constant, reflecting, replicating, circular
std::span<const Handler> sampling_handlers();   ///< sampling.cpp: upsampling, grid_sample
std::span<const Handler> recurrent_handlers();  ///< recurrent.cpp: RNN, LSTM, GRU and their cells
std::span<const Handler> folding_handlers();    ///< folding.cpp: pixel shuffle, im2col, unpooling
std::span<const Handler> embedding_handlers();  ///< embedding.cpp: embedding, embedding_bag

}  // namespace tenon::lower
