"""How far the graph is handed over before its tasks are computed."""

import mlxc as mx


def test_few_large_results_lie_ahead_of_the_stream():
    w = mx.random.normal((512, 512)) * 512**-0.5
    packed = mx.quantize(w, group_size=32, bits=4)
    x = mx.random.normal((1024, 512))  # 2 MB, as every result
    mx.eval(packed, x)
    mx.clear_cache()
    mx.reset_peak_memory()
    held = mx.get_active_memory()

    for _ in range(100):
        x = mx.quantized_matmul(x, *packed, group_size=32, bits=4)
    mx.eval(x)

    # One operation runs and one waits; besides its result each has its operand, written as integers
    # in as much memory.
    assert mx.get_peak_memory() - held < 7 * x.nbytes
