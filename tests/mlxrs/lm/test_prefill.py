"""Reading a prompt into the caches."""

import pytest

import mlxc as mx
from mlxrs.lm.prefill import CPU_STEP, prefill
from mlxrs.testing import FakeModel


@pytest.mark.skipif(mx.default_device() != mx.cpu, reason="a GPU reads larger chunks")
@pytest.mark.parametrize(("step_size", "largest"), [(2048, CPU_STEP), (100, 100)])
def test_on_a_cpu_a_chunk_is_no_larger_than_the_caches_like(step_size, largest):
    model = FakeModel(11)
    length, read = 2 * CPU_STEP + 1, []

    prefill(
        model,
        mx.zeros((length,), dtype=mx.int32),
        model.make_cache(),
        step_size=step_size,
        progress=read.append,
    )

    assert read == [*range(0, length, largest), length]
