"""Groups of processes: this one alone, and several on this machine."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

import mlxc as mx
from mlxc._ffi import ffi, lib

PROGRAM = """
import json, sys
import mlxc as mx

group = mx.distributed.init(strict=True, backend="ring")
rank, size = group.rank(), group.size()
mine = mx.array([[rank + 1.0, 10.0 - rank]])
after, before = (rank + 1) % size, (rank - 1) % size
results = {
    "place": [rank, size],
    "sum": mx.distributed.all_sum(mine).tolist(),
    "half": mx.distributed.all_sum(mine.astype(mx.float16), group=group).tolist(),
    "max": mx.distributed.all_max(mine).tolist(),
    "min": mx.distributed.all_min(mine).tolist(),
    "gather": mx.distributed.all_gather(mine).tolist(),
}
if rank % 2 == 0:
    mx.eval(mx.distributed.send(mine, after))
    results["received"] = mx.distributed.recv(mine.shape, mine.dtype, before).tolist()
else:
    results["received"] = mx.distributed.recv_like(mine, before).tolist()
    mx.eval(mx.distributed.send(mine, after))
gradient = mx.grad(lambda x: mx.distributed.all_sum(x).sum())
results["gradient"] = gradient(mine).tolist()
print(json.dumps(results))
"""
SECONDS = 60


def free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def run_ring(size, folder):
    """What the program prints in each of several processes, by rank."""
    hosts = folder / "hosts.json"
    hosts.write_text(json.dumps([[f"127.0.0.1:{port}"] for port in free_ports(size)]))
    environment = os.environ | {"MLX_HOSTFILE": str(hosts)}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=environment | {"MLX_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    end = time.monotonic() + SECONDS
    try:
        outputs = [child.communicate(timeout=end - time.monotonic()) for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert [child.returncode for child in children] == [0] * size, outputs
    return [json.loads(out.splitlines()[-1]) for out, _ in outputs]


@pytest.mark.parametrize("size", [2, 4])
def test_processes_in_a_ring_compute_together(size, tmp_path):
    given = [[rank + 1.0, 10.0 - rank] for rank in range(size)]
    columns = list(zip(*given, strict=True))

    for rank, results in enumerate(run_ring(size, tmp_path)):
        assert results["place"] == [rank, size]
        assert results["sum"] == results["half"] == [[sum(column) for column in columns]]
        assert results["max"] == [[max(column) for column in columns]]
        assert results["min"] == [[min(column) for column in columns]]
        assert results["gather"] == given
        assert results["received"] == [given[rank - 1]]
        assert results["gradient"] == [[1.0, 1.0]]


def test_one_process_is_a_group_of_its_own():
    group, a = mx.distributed.init(), mx.arange(4)

    assert (group.rank(), group.size()) == (0, 1)
    assert repr(group) == "Group(rank=0, size=1)"
    for function in (mx.distributed.all_sum, mx.distributed.all_max, mx.distributed.all_min):
        assert function(a, group=group).tolist() == [0, 1, 2, 3]
    assert mx.distributed.all_gather(a).tolist() == [0, 1, 2, 3]
    assert mx.distributed.sum_scatter(a).tolist() == [0, 1, 2, 3]
    assert mx.distributed.all_sum(3).item() == 3


def test_one_process_has_no_other_to_talk_to():
    with pytest.raises(ValueError, match="Cannot send to a singleton group"):
        mx.distributed.send(mx.ones((2,)), 0)
    with pytest.raises(ValueError, match="Cannot recv from a singleton group"):
        mx.distributed.recv((2,), mx.float32, 0)
    with pytest.raises(ValueError, match="Cannot recv from a singleton group"):
        mx.distributed.recv_like(mx.ones((2,)), 0)
    with pytest.raises(RuntimeError, match="Cannot split"):
        mx.distributed.init().split(0)


def test_the_ring_is_there_and_an_unknown_backend_is_not():
    assert mx.distributed.is_available()
    assert mx.distributed.is_available("ring")
    assert not mx.distributed.is_available("pigeon")
    with pytest.raises(ValueError, match="'pigeon' was provided"):
        mx.distributed.init(backend="pigeon")


def test_who_insists_on_a_group_gets_an_error_without_one(monkeypatch):
    monkeypatch.delenv("MLX_RANK", raising=False)
    monkeypatch.delenv("MLX_HOSTFILE", raising=False)

    with pytest.raises(RuntimeError, match=r"\[ring\] You need to provide"):
        mx.distributed.init(strict=True, backend="ring")


def test_groups_come_from_init_only():
    with pytest.raises(TypeError, match="use mlxc.distributed.init"):
        mx.distributed.Group()
    with pytest.raises(TypeError, match="group must be a Group or None, got int"):
        mx.distributed.all_sum(mx.ones((2,)), group=3)
    with pytest.raises(TypeError, match="backend must be a string, got int"):
        mx.distributed.init(backend=3)


def test_a_side_channel_is_for_jaccl_only():
    with pytest.raises(ValueError, match="only supported with backend='jaccl'"):
        mx.distributed.init(backend="ring", all_gather_factory=lambda rank, size: bytes)
    with pytest.raises(TypeError, match="all_gather_factory must be callable or None, got int"):
        mx.distributed.init(backend="jaccl", all_gather_factory=3)


@pytest.mark.native
@pytest.mark.skipif(mx.distributed.is_available("jaccl"), reason="there is one to join")
def test_without_jaccl_a_side_channel_is_not_used():
    group = mx.distributed.init(backend="jaccl", all_gather_factory=lambda rank, size: bytes)

    assert group.size() == 1


def test_a_side_channel_passes_bytes_and_errors_on():
    made = []

    def factory(rank, size):
        made.append((rank, size))
        return lambda data, count: data * (size if count == 3 else 1)

    payload, target = ffi.new_handle(factory), ffi.new("char[6]")

    assert lib.mlxc_all_gather(payload, 1, 2, b"abc", target, 3) == 0
    assert ffi.buffer(target)[:] == b"abcabc"
    assert made == [(1, 2)]
    assert lib.mlxc_all_gather(payload, 1, 2, b"ab", target, 2) == 1
    from mlxc._errors import raise_last_error

    with pytest.raises(ValueError, match="must return 2 times 2 bytes, got 2"):
        raise_last_error()
