// A layer of a decoder as one primitive: x plus attention of its norm, with the cache it writes,
// then plus a gated layer of the norm of that.
#include <atomic>
#include <deque>
#include <memory>

#include "attention_half.h"
#include "feed_forward_half.h"

#ifndef MLXC_FOREIGN

namespace mlxc::cpu {
namespace {

struct LayerForm {
  AttentionForm attention;
  std::optional<FeedForwardForm> feed_forward;

  size_t weights() const {
    return attention.weights() + (feed_forward ? FeedForwardForm::weights : 0);
  }

  bool operator==(const LayerForm&) const = default;
};

using Weights = std::shared_ptr<const Arrays>;

// Of inputs; the weights are behind them, unless the primitive holds them itself.
enum { X, KEYS, VALUES, FIRST };

Arrays composed(
    const Arrays& inputs, const mx::array* weights, const LayerForm& form, mx::Stream s) {
  auto outputs = composed_attention(
      inputs[X], inputs[KEYS], inputs[VALUES], weights, form.attention, s);
  if (form.feed_forward) {
    weights += form.attention.weights();
    outputs[0] = composed_feed_forward(outputs[0], weights, *form.feed_forward, s);
  }
  return outputs;
}

class DecoderLayer : public Kernel {
 public:
  // `kept` are weights that are no inputs, because nothing can happen to them: a graph of three
  // arrays a layer is made and taken apart in a fraction of the time of one of thirty.
  DecoderLayer(mx::Stream stream, LayerForm form, Weights kept)
      : Kernel(
            stream,
            [form, stream, kept](const Arrays& inputs) {
              return composed(inputs, kept ? kept->data() : &inputs[FIRST], form, stream);
            }),
        form_(form),
        kept_(std::move(kept)) {}

  DEFINE_NAME(CpuDecoderLayer)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[X].shape(), inputs[KEYS].shape(), inputs[VALUES].shape()};
  }

  bool is_equivalent(const Primitive& other) const override {
    auto& that = static_cast<const DecoderLayer&>(other);
    return form_ == that.form_ && kept_ == that.kept_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    letting_go(inputs, outputs, [&] { compute(inputs, outputs); });
  }

 private:
  void compute(const Arrays& inputs, Arrays& outputs) {
    auto &y = outputs[0], &keys = outputs[1], &values = outputs[2];
    donate_or_allocate(inputs[X], y); // x is read before y is written, or in the same place
    auto x = row_contiguous(inputs[X], stream());
    std::vector<RowCopy> copies; // of buffers that others read
    write_over(inputs[KEYS], keys, stream(), copies);
    write_over(inputs[VALUES], values, stream(), copies);

    Workspace work;
    int L = x.shape(1);
    auto* weights = kept_ ? kept_->data() : &inputs[FIRST];
    auto* sum = y.data<float>();
    AttentionHalf attention(
        weights, form_.attention, L, x.data<float>(), sum, keys, values, stream(), work);
    std::optional<FeedForwardHalf> feed_forward;
    if (form_.feed_forward) {
      work.rewind();
      weights += form_.attention.weights();
      auto count = static_cast<size_t>(x.shape(0)) * L;
      feed_forward.emplace(weights, *form_.feed_forward, count, sum, sum, stream(), work);
    }
    work.allocate(stream());
    dispatch(
        stream(),
        [attention, feed_forward, work, copies = std::move(copies), kept = kept_]() mutable {
          for (auto& copy : copies) {
            copy.run();
          }
          work.open();
          attention.run(work);
          if (feed_forward) {
            feed_forward->run(work);
          }
        });
  }

  LayerForm form_;
  Weights kept_;
};

// Layers and their weights.
class Decoder {
 public:
  Decoder(const mlxc_decoder_layer* layers, size_t count, const Arrays& weights) {
    auto next = weights.begin();
    for (size_t i = 0; i < count; i++) {
      auto& layer = layers_.emplace_back(layers[i]);
      auto own = static_cast<std::ptrdiff_t>(form_of(layers[i], 0, false).weights());
      if (weights.end() - next < own) {
        refuse("weights must be those of each layer, one behind the other.");
      }
      layer.weights = std::make_shared<Arrays>(next, next + own);
      next += own;
    }
    if (next != weights.end()) {
      refuse("weights must be those of each layer, and no more.");
    }
  }

  // The sum behind the last layer, then keys and values of each.
  Arrays run(
      const mx::array& x, const Arrays& buffers, int start, bool causal, mx::Stream s) const {
    if (buffers.size() != 2 * layers_.size()) {
      refuse("there must be keys and values for each layer.");
    }
    Arrays results{x};
    results.reserve(1 + buffers.size());
    for (size_t i = 0; i < layers_.size(); i++) {
      auto& layer = layers_[i];
      auto form = form_of(layer.form, start, causal);
      // Of a prompt nobody may ask for what is behind the last keys and values: it stays apart.
      std::optional<FeedForwardForm> last;
      if (i + 1 == layers_.size() && x.ndim() == 3 && x.shape(1) > 1) {
        last.swap(form.feed_forward);
      }
      auto outputs =
          run_layer({results[0], buffers[2 * i], buffers[2 * i + 1]}, form, layer, s);
      results.insert(results.end(), outputs.begin() + 1, outputs.end());
      auto* behind = layer.weights->data() + form.attention.weights();
      results[0] = last ? feed_forward_block(outputs[0], behind, *last, s) : outputs[0];
    }
    return results;
  }

 private:
  struct Layer {
    explicit Layer(const mlxc_decoder_layer& form) : form(form) {}

    mlxc_decoder_layer form;
    Weights weights;
    mutable std::atomic<bool> settled{false};
  };

  static LayerForm form_of(const mlxc_decoder_layer& layer, int start, bool causal) {
    AttentionForm attention{
        affine_form(layer.group_size, layer.bits),
        affine_form(layer.group_size_out, layer.bits_out),
        layer.eps,
        {start, layer.scale, causal, optional(layer.head_eps), layer.dims, layer.traditional,
         optional(layer.base), layer.rope_scale}};
    if (layer.activation < 0) {
      return {attention, std::nullopt};
    }
    FeedForwardForm feed_forward{
        affine_form(layer.gate_group_size, layer.gate_bits),
        affine_form(layer.down_group_size, layer.down_bits),
        layer.feed_forward_eps,
        static_cast<Map>(layer.activation)};
    return {attention, feed_forward};
  }

  static Arrays run_layer(Arrays inputs, const LayerForm& form, const Layer& layer, mx::Stream s) {
    auto* weights = layer.weights->data();
    auto &x = inputs[X], &keys = inputs[KEYS], &values = inputs[VALUES];
    check_attention(x, keys, values, weights, form.attention);
    if (form.feed_forward) {
      check_feed_forward(x, weights + form.attention.weights(), *form.feed_forward);
    }
    if (!usable(s)) {
      return composed(inputs, weights, form, s);
    }
    std::vector<mx::Shape> shapes{x.shape(), keys.shape(), values.shape()};
    std::vector<mx::Dtype> types{mx::float32, keys.dtype(), values.dtype()};
    bool keeps = layer.settled || (layer.settled = is_settled(*layer.weights));
    if (!keeps) {
      inputs.insert(inputs.end(), weights, weights + form.weights());
    }
    auto primitive = std::make_shared<DecoderLayer>(s, form, keeps ? layer.weights : nullptr);
    return mx::array::make_arrays(
        std::move(shapes), std::move(types), std::move(primitive), std::move(inputs));
  }

  // Whether arrays are there, so that none is differentiated or traced by.
  static bool is_settled(const Arrays& weights) {
    return std::all_of(weights.begin(), weights.end(), [](const mx::array& a) {
      return is_available(a) && !a.is_tracer();
    });
  }

  std::deque<Layer> layers_;
};

Decoder& get(mlxc_decoder decoder) {
  if (!decoder.ctx) {
    throw std::invalid_argument("expected a decoder, got an empty handle");
  }
  return *static_cast<Decoder*>(decoder.ctx);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_decoder_new(
    mlxc_decoder* res,
    const mlxc_decoder_layer* layers,
    size_t layers_num,
    const mlx_vector_array weights) MLXC_BODY({
  res->ctx = new cpu::Decoder(layers, layers_num, get(weights));
})

extern "C" int mlxc_decoder_free(mlxc_decoder decoder) MLXC_BODY({
  // Weights may be graphs.
  drop(decoder.ctx, [](void* held) { delete static_cast<cpu::Decoder*>(held); });
})

extern "C" int mlxc_cpu_decoder_run(
    mlx_vector_array* res,
    const mlxc_decoder decoder,
    const mlx_array x,
    const mlx_vector_array buffers,
    int start,
    bool causal,
    const mlx_stream s) MLXC_BODY({
  set(res, cpu::get(decoder).run(get(x), get(buffers), start, causal, get(s)));
})
