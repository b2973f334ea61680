// Cases for the rows of maps: run by tests/unit/kernel_rows_test.cpp.
#include "ops/core/row_cases.h"

namespace tenon::ops {
namespace {

const Shape kImage = {2, 37, 13, 17};

ValueId image(RowModel& m) {
  return m.input(kImage);
}
ValueId blocked_image(RowModel& m) {
  return blocked(m, image(m), kImage[1]);
}

const RowCases kBatchNormCases(
    Op::kBatchNormalization,
    {
        {"plain", [](RowModel& m) { m.output(m.batch_norm(image(m), kImage[1])); }},
        {"blocked_relu",
         [](RowModel& m) { m.output(m.activation(Op::kRelu, {m.batch_norm(blocked_image(m), kImage[1])})); }},
    });

const RowCases kAddCases(
    Op::kAdd, {
                  {"two_tensors_relu",
                   [](RowModel& m) {
                     const ValueId x = m.input({3, 1000}), y = m.input({3, 1000});
                     m.output(m.activation(Op::kRelu, {m.add(Op::kAdd, {x, y})}));
                   }},
                  {"twice_the_same_tensor_then_another",
                   [](RowModel& m) {
                     const ValueId x = m.input({9999}), y = m.input({9999}), z = m.input({9999});
                     m.output(m.add(Op::kAdd, {z, m.add(Op::kAdd, {x, y})}));
                   }},
                  {"blocked",
                   [](RowModel& m) {
                     const ValueId x = blocked_image(m), y = blocked_image(m);
                     m.output(m.add(Op::kAdd, {x, y}));
                   }},
                  {"biases_of_windows",
                   [](RowModel& m) {
                     m.output(m.add(Op::kAdd, {m.input({4, 2, 3, 49, 49}), m.constant({4, 1, 1, 49, 49})}));
                   }},
                  {"outer_sum",
                   [](RowModel& m) { m.output(m.add(Op::kAdd, {m.input({70, 1, 3}), m.input({33, 1})})); }},
                  {"constant_tensor",
                   [](RowModel& m) { m.output(m.add(Op::kAdd, {m.constant({9, 31}), m.input({9, 31})})); }},
                  {"constant_by_channel",
                   [](RowModel& m) { m.output(m.add(Op::kAdd, {image(m), m.constant({kImage[1], 1, 1})})); }},
              });

const RowCases kBroadcastSubCases(Op::kSub,
                                  {{"from_constants", [](RowModel& m) {
                                      m.output(m.add(Op::kSub, {m.constant({5, 1, 40}), m.input({7, 1})}));
                                    }}});
const RowCases kBroadcastDivCases(Op::kDiv,
                                  {{"by_numbers_of_lines", [](RowModel& m) {
                                      m.output(m.add(Op::kDiv, {m.input({5, 9, 40}), m.positive({9, 1})}));
                                    }}});

const RowCases kMulCases(
    Op::kMul,
    {
        {"two_tensors", [](RowModel& m) { m.output(m.add(Op::kMul, {m.input({7, 33}), m.input({7, 33})})); }},
        {"gate_by_channel",
         [](RowModel& m) {
           const ValueId gate = m.input({kImage[0], kImage[1], 1, 1});
           m.output(m.add(Op::kMul, {gate, image(m)}));
         }},
        {"blocked_gate_by_channel",
         [](RowModel& m) {
           const ValueId gate = m.input({kImage[0], kImage[1], 1, 1});
           m.output(m.add(Op::kMul, {blocked_image(m), blocked(m, gate, kImage[1])}));
         }},
        {"blocked_constant_by_channel",
         [](RowModel& m) {
           m.output(m.add(Op::kMul, {blocked_image(m), m.constant({1, kImage[1], 1, 1})}));
         }},
    });

ValueId number(RowModel& m, float value) {
  return m.exactly(Tensor::scalar(value));
}

const RowCases kDivCases(Op::kDiv, {{"gelu", [](RowModel& m) {
                                       const ValueId x = m.input({5, 777});
                                       const ValueId half = m.add(Op::kDiv, {x, number(m, 1.41421354f)});
                                       const ValueId erf = m.activation(Op::kErf, {half});
                                       const ValueId one = m.add(Op::kAdd, {number(m, 1), erf});
                                       const ValueId product = m.add(Op::kMul, {x, one});
                                       m.output(m.add(Op::kMul, {product, number(m, 0.5f)}));
                                     }}});
const RowCases kSubCases(Op::kSub, {{"number", [](RowModel& m) {
                                       m.output(m.add(Op::kSub, {m.input({5, 77}), number(m, 0.3f)}));
                                     }}});

void activation(RowModel& m, Op op, Attributes attributes = {}) {
  m.output(m.add(op, {m.input({5, 777})}, std::move(attributes)));
}

const RowCases kErfCases(Op::kErf, {{"plain", [](RowModel& m) { activation(m, Op::kErf); }}});
const RowCases kGeluCases(Op::kGelu, {{"plain", [](RowModel& m) { activation(m, Op::kGelu); }}});
const RowCases kReluCases(Op::kRelu, {{"plain", [](RowModel& m) { activation(m, Op::kRelu); }}});
const RowCases kSigmoidCases(Op::kSigmoid, {{"plain", [](RowModel& m) { activation(m, Op::kSigmoid); }}});
const RowCases kLeakyReluCases(Op::kLeakyRelu, {{"plain", [](RowModel& m) {
                                                   activation(m, Op::kLeakyRelu, {{"alpha", 0.2f}});
                                                 }}});
const RowCases kHardSigmoidCases(Op::kHardSigmoid,
                                 {{"plain", [](RowModel& m) { activation(m, Op::kHardSigmoid); }}});
const RowCases kClipCases(Op::kClip,
                          {{"plain", [](RowModel& m) {
                              m.output(m.add(Op::kClip, {m.input({5, 777}), m.exactly(Tensor::scalar(-0.5f)),
                                                         m.exactly(Tensor::scalar(0.25f))}));
                            }}});

}  // namespace
}  // namespace tenon::ops
