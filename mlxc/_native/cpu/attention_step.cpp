#include "attention_step.h"

#ifndef MLXC_FOREIGN
#include "kernels/narrow.h"

namespace mlxc::cpu {
namespace {

// x (B, L, H D), row by row in the order (B, H, L) of its heads.
Rows by_heads(const float* x, const AttentionJob& job, size_t heads, size_t D) {
  auto width = static_cast<ptrdiff_t>(heads * D);
  return {
      x,
      {job.B, heads, job.L},
      {width * static_cast<ptrdiff_t>(job.L), static_cast<ptrdiff_t>(D), width}};
}

// Rows (B, H, L) of D features each that lie one behind the other.
Rows in_a_row(const float* x, size_t rows, size_t D) {
  return {x, {1, 1, rows}, {0, 0, static_cast<ptrdiff_t>(D)}};
}

AttentionRows rows_in(const mx::array& buffer) {
  AttentionRows rows{buffer.data<void>(), {}};
  for (int i = 0; i < 3; i++) {
    rows.strides[i] = buffer.strides(i);
  }
  return rows;
}

} // namespace

AttentionStep::AttentionStep(
    const StepForm& form, size_t L, size_t heads, const mx::array& keys, const mx::array& values,
    Workspace& work)
    : form_(form), held_(float_of(keys.dtype())) {
  job_.B = keys.shape(0), job_.H = heads, job_.H_kv = keys.shape(1);
  job_.L = L, job_.S = form.start + L;
  job_.D = keys.shape(3), job_.D_v = values.shape(3);
  job_.scale = form.scale;
  job_.causal = form.causal;
  job_.k = rows_in(keys);
  job_.v = rows_in(values);
  auto D = static_cast<ptrdiff_t>(job_.D), rows = static_cast<ptrdiff_t>(L);
  job_.q_strides[0] = static_cast<ptrdiff_t>(heads) * rows * D;
  job_.q_strides[1] = rows * D;
  job_.q_strides[2] = D;
  auto width = static_cast<ptrdiff_t>(heads * job_.D_v);
  job_.out_strides[0] = rows * width;
  job_.out_strides[1] = static_cast<ptrdiff_t>(job_.D_v);
  job_.out_strides[2] = width;
  parts_ = attention_parts(job_);
  turned_queries_ = work.next(job_.B * heads * L * job_.D * sizeof(float));
  turned_keys_ = work.next(job_.B * job_.H_kv * L * job_.D * sizeof(float));
  room_ = work.next(pick<Attention>().room(job_, parts_) * sizeof(float));
}

void AttentionStep::place(
    const Workspace& work, const float* q, const float* k, const float* v, const float* q_norm,
    const float* k_norm, const float* freqs, float* out) {
  queries_ = {q, q_norm, work.floats(turned_queries_), job_.H};
  keys_ = {k, k_norm, work.floats(turned_keys_), job_.H_kv};
  v_ = v;
  freqs_ = freqs;
  job_.q = queries_.to;
  job_.out = out;
  memory_ = work.floats(room_);
}

void AttentionStep::run() const {
  AngleSpec spec{
      form_.dims, form_.traditional, form_.base.value_or(0), form_.rope_scale, {}, {form_.start},
      job_.L};
  if (freqs_) {
    spec.freqs.assign(freqs_, freqs_ + form_.dims / 2);
  }
  auto& found = angles(std::move(spec));
  turn(queries_, found);
  turn(keys_, found);
  auto rows = job_.B * job_.H_kv * job_.L;
  write(in_a_row(keys_.to, rows, job_.D), job_.k, job_.D);
  write(by_heads(v_, job_, job_.H_kv, job_.D_v), job_.v, job_.D_v);
  auto& run = pick<Attention>().run[static_cast<int>(Float::f32)];
  run[static_cast<int>(held_)](job_, parts_, memory_);
}

void AttentionStep::turn(const Turned& turned, const Angles& angles) const {
  constexpr auto f32 = static_cast<int>(Float::f32);
  Rope::Job job{};
  job.x = by_heads(turned.given, job_, turned.heads, job_.D);
  job.y = turned.to;
  job.features = job_.D;
  job.rows = job_.B * turned.heads * job_.L;
  job.dims = static_cast<size_t>(form_.dims);
  job.positions = job_.L;
  job.rows_per_sequence = job.rows;
  job.cosines = angles.cosines.data();
  job.sines = angles.sines.data();
  if (turned.norm) {
    auto normalize = pick<Norm>().rms[f32][f32];
    normalize(job.x, turned.norm, turned.to, job.rows, job_.D, *form_.head_eps);
    job.x = in_a_row(turned.to, job.rows, job_.D);
  }
  (form_.traditional ? pick<Rope>().neighbours : pick<Rope>().halves)[f32](job);
}

// Writes rows in the order (B, H_kv, L) behind those that the cache holds.
void AttentionStep::write(const Rows& rows, const AttentionRows& to, size_t D) const {
  auto* first = static_cast<char*>(const_cast<void*>(to.data));
  ptrdiff_t size = held_ == Float::f32 ? 4 : 2;
  auto* narrow = pick<Narrow>().run[static_cast<int>(held_)];
  size_t L = job_.L, heads = job_.H_kv, count = job_.B * heads * L;
  parallel_for(count, 1 + 16384 / D, [&](size_t begin, size_t end) {
    rows.each<float>(begin, end, [&](size_t row, const float* from) {
      auto b = static_cast<ptrdiff_t>(row / L / heads), h = static_cast<ptrdiff_t>(row / L % heads);
      auto l = form_.start + static_cast<ptrdiff_t>(row % L);
      auto at = b * to.strides[0] + h * to.strides[1] + l * to.strides[2];
      narrow(from, first + at * size, D);
    });
  });
}

} // namespace mlxc::cpu
#endif
