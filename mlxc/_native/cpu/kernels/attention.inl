// Attention in one pass over keys and values. Written on vectors of float32, so every instruction
// set has it. AVX2 and AVX-512 exchange rows and columns of keys in registers, which the others do
// element by element, and those of half types before they widen them; AVX-512 unpacks with
// permutations of bytes (VBMI).
//
// The queries of all heads that share keys and values are rows of one matrix. Keys are read in
// blocks, and blocks in spans; what a query gets of a span is computed by itself and then merged
// with what it got of those before. So a query's result depends on nothing but that query: not on
// the others read with it, not on the number of threads.
#include "simd.h"

#include "attention_unit.h"

#include <atomic>

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

size_t room(const AttentionJob& job, size_t parts) {
  return Plan(job, parts).floats(parts);
}

// Calls work(index, memory) for each index, each of `parts` parts with memory of its own.
template <class Work>
void share(size_t count, size_t parts, float* memory, const Plan& plan, Work&& work) {
  struct Context {
    Work& work;
    size_t count;
    float* memory;
    const Plan& plan;
    std::atomic<size_t> next{0};
  } context{work, count, memory, plan};
  auto part = [](void* given, size_t part) {
    auto& c = *static_cast<Context*>(given);
    alignas(64) float stack[STACK];
    float* own = c.plan.on_stack() ? stack : c.memory + part * c.plan.of_part;
    for (size_t i; (i = c.next.fetch_add(1, std::memory_order_relaxed)) < c.count;) {
      c.work(i, own);
    }
  };
  if (parts == 1) {
    part(&context, 0);
  } else {
    run_parts(parts, part, &context);
  }
}

template <class T, class K>
void run(const AttentionJob& job, size_t parts, float* memory) {
  Plan plan(job, parts);
  if (!plan.split) {
    share(plan.units, parts, memory, plan, [&](size_t i, float* own) {
      Unit<T, K> unit(job, plan, i, own);
      unit.read_queries();
      unit.start(unit.all());
      for (size_t span = 0; span < plan.spans && unit.reaches(span); span++) {
        unit.attend(span, unit.span());
        unit.add(unit.all(), unit.span());
      }
      unit.finish(unit.all());
    });
    return;
  }
  float* spans = memory + plan.of_parts(parts);
  share(plan.units * plan.spans, parts, memory, plan, [&](size_t i, float* own) {
    Unit<T, K> unit(job, plan, i / plan.spans, own);
    unit.read_queries();
    unit.attend(i % plan.spans, {spans + i * plan.of_span, plan});
  });
  share(plan.units, 1, memory, plan, [&](size_t i, float* own) {
    Unit<T, K> unit(job, plan, i, own);
    unit.start(unit.all());
    for (size_t span = 0; span < plan.spans; span++) {
      unit.add(unit.all(), {spans + (i * plan.spans + span) * plan.of_span, plan});
    }
    unit.finish(unit.all());
  });
}

} // namespace
} // namespace MLXC_ISA

const Attention Attention::MLXC_ISA = {
    MLXC_ISA::room,
    {
        {MLXC_ISA::run<float, float>, MLXC_ISA::run<float, f16>, MLXC_ISA::run<float, bf16>},
        {nullptr, MLXC_ISA::run<f16, f16>, nullptr},
        {nullptr, nullptr, MLXC_ISA::run<bf16, bf16>},
    },
};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
