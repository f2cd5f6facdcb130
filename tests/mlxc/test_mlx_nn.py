"""The layers and optimizers written for mlx.core run on mlxc, unchanged."""

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from support import train_network


def losses(module: str) -> list[float]:
    command = [sys.executable, train_network.__file__, module]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.reference
@pytest.mark.native
def test_a_network_of_mlx_nn_learns_the_same_on_mlxc():
    if find_spec("mlx.core") is None:
        pytest.skip("mlx.core is not installed")

    own, official = losses("mlxc"), losses("mlx.core")

    assert own[-1] < own[0]
    np.testing.assert_allclose(own, official, rtol=1e-3)
