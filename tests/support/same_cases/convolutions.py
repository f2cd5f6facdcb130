"""Convolutions of one to three axes: strides, paddings, dilations, groups, and what is refused."""

from itertools import product

from support.differential import lines

OPTIONS = (
    "",
    "2",
    "1, 1",
    "2, 1, 2",
    "1, 0, 1, 2",
    "1, 2, 1, 3",
    "0",
    "1, -1",
    "1, 1, 0",
    "1, 0, 1, -1",
)
SHAPES = {
    "1d": (
        "(1, 5, 4), (4, 3, 4)",
        "(2, 5, 4), (4, 3, 2)",
        "(1, 5, 4), (6, 3, 2)",
        "(5, 4), (4, 3, 4)",
        "(1, 0, 4), (4, 3, 4)",
        "(0, 5, 4), (4, 3, 4)",
    ),
    "2d": (
        "(1, 5, 4, 4), (4, 3, 2, 4)",
        "(1, 4, 4, 2), (4, 1, 1, 2)",
        "(4, 4, 2), (4, 1, 1, 2)",
    ),
    "3d": ("(1, 3, 4, 3, 2), (2, 2, 1, 2, 2)",),
}
INPUTS = "a, w = (mx.arange(math.prod(s)).reshape(s) / 7 for s in ({shapes})); "
PAIRS = ("(1, 2)", "[2, 1]", "(1,)", "(1, 1, 1)", "None", "1.5", "()")
REST = lines("""
mx.conv_general({a}, {w})
mx.conv_general({a}, {w}, stride=2)
mx.conv_general({a}, {w}, padding=1)
mx.conv_general({a}, {w}, padding=(1, 0))
mx.conv_general({a}, {w}, padding=([0, 1], [1, 2]))
mx.conv_general({a}, {w}, padding=([0], [1]))
mx.conv_general({a}, {w}, padding=[1, 1])
mx.conv_general({a}, {w}, kernel_dilation=2)
mx.conv_general({a}, {w}, input_dilation=(2, 1))
mx.conv_general({a}, {w}, flip=True)
mx.conv_general({a}, {w}, groups=2)
mx.conv_general({a}, {w}, 1, 0, 1, 2, 1, True)
mx.conv_general({a}, {w}, padding=-1)
mx.conv2d({a}, mx.ones((2, 2, 2, 3)))
mx.conv2d({a}.astype(mx.int32), {w})
mx.conv2d({a}.astype(mx.float16), {w})
mx.conv2d({a}.astype(mx.bfloat16), {w}.astype(mx.bfloat16))
mx.conv2d({a}.astype(mx.complex64), {w})
mx.conv2d({a}, {w}, 1, 0, 1, 1, stream=mx.cpu)
mx.conv2d({a}, weight={w})
mx.conv1d({a}, {w})
mx.conv2d({a}, {w}, groups=0)
mx.conv_transpose2d({a}, {w}, groups=0)
mx.conv_transpose2d({a}, {w}, output_padding=1)
mx.conv_transpose2d({a}, {w}, 2, 0, 1, 1)
mx.conv_transpose2d({a}, {w}, 2, (0, 1), 1, (1, 0))
mx.conv_transpose2d({a}, {w}, 1, 0, 2)
mx.conv_transpose2d({a}, {w}, 1, 0, 1, 0, 2)
mx.conv1d(mx.ones((1, 2, 4)), mx.ones((4, 3, 4)))
mx.conv2d(mx.ones((1, 4, 4, 2)), mx.ones((4, 5, 5, 2)))
mx.conv3d(mx.ones((1, 3, 3, 3, 1)), mx.ones((1, 4, 4, 4, 1)))
mx.conv_transpose1d(mx.ones((1, 2, 4)), mx.ones((4, 3, 4)), 2)
mx.convolve(mx.arange(5.0), mx.array([1.0, 2.0, 3.0]))
mx.convolve(mx.arange(5.0), mx.array([1.0, 2.0, 3.0]), 'same')
mx.convolve(mx.arange(5.0), mx.array([1.0, 2.0, 3.0]), 'valid')
mx.convolve(mx.arange(5.0), mx.array([1.0, 2.0, 3.0]), mode='a')
mx.convolve(mx.arange(2.0), mx.arange(4.0), mode='same')
mx.convolve(mx.arange(2.0), mx.arange(5.0), mode='valid')
mx.convolve(mx.ones((2, 2)), mx.ones(2))
mx.convolve(mx.array([]), mx.ones(2))
mx.convolve(mx.ones(2), mx.array([]))
mx.convolve(mx.arange(5), mx.arange(3))
mx.convolve(mx.array(1.0), mx.ones(2))
""")

CASES = [
    *(
        INPUTS.format(shapes=shapes) + f"mx.conv{back}{axes}(a, w{', ' * bool(options)}{options})"
        for axes, given in SHAPES.items()
        for shapes, back, options in product(given, ("", "_transpose"), OPTIONS)
    ),
    *(
        INPUTS.format(shapes=SHAPES["2d"][0]) + f"mx.conv{back}2d(a, w, {name}={pair})"
        for back, name, pair in product(
            ("", "_transpose"), ("stride", "padding", "dilation"), PAIRS
        )
    ),
    *(
        form.format(
            a="(mx.arange(32.0).reshape(1, 4, 4, 2) / 8)",
            w="(mx.arange(16.0).reshape(2, 2, 2, 2) / 4)",
        )
        for form in REST
    ),
]
