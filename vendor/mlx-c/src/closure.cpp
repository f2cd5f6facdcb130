// Closures of one array to one array.
#include "closure.h"

namespace mlxc {

mlx_closure closure_new_unary(int (*fun)(mlx_array*, const mlx_array)) {
  return make<mlx_closure>([fun](const Arrays& inputs) {
    if (inputs.size() != 1) {
      throw std::invalid_argument(
          "a unary closure takes 1 array, got " + std::to_string(inputs.size()));
    }
    Pause pause;
    Owned<mlx_array> in(inputs[0]);
    Owned<mlx_array> res;
    check(fun(&res.handle, in.handle));
    return Arrays{get(res.handle)};
  });
}

} // namespace mlxc
