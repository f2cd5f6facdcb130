"""Devices, streams and their defaults."""

import subprocess
import sys
import threading

import pytest

import mlxc as mx


def test_device_types_devices_and_their_texts():
    assert mx.Device(mx.cpu) == mx.Device(mx.cpu, 0) == mx.cpu
    assert mx.Device(mx.cpu) != mx.gpu
    assert repr(mx.Device(mx.gpu, 1)) == "Device(gpu, 1)"
    assert repr(mx.cpu) == "DeviceType.cpu"


def test_there_is_a_cpu():
    assert mx.is_available(mx.cpu)
    assert mx.device_count(mx.cpu) >= 1
    assert mx.device_info(mx.cpu)["device_name"]
    with pytest.raises(TypeError, match="device_type must be"):
        mx.device_count("cpu")


def test_a_stream_context_sets_and_restores_the_default():
    before = mx.default_stream(mx.cpu)
    stream = mx.new_stream(mx.cpu)

    with mx.stream(stream):
        assert mx.default_stream(mx.cpu) == stream
        inside = mx.ones((2,)) + 1

    assert mx.default_stream(mx.cpu) == before
    assert inside.tolist() == [2, 2]


def test_the_default_is_restored_when_the_block_raises():
    before = mx.default_stream(mx.cpu)

    with pytest.raises(ZeroDivisionError), mx.stream(mx.new_stream(mx.cpu)):
        raise ZeroDivisionError

    assert mx.default_stream(mx.cpu) == before


def test_an_op_takes_a_stream_a_device_or_a_device_type():
    for stream in (mx.new_stream(mx.cpu), mx.Device(mx.cpu), mx.cpu, None):
        assert mx.add(mx.array(1), 2, stream=stream).item() == 3


def test_every_thread_has_a_default_stream_of_its_own():
    streams = [mx.default_stream(mx.cpu)]
    thread = threading.Thread(target=lambda: streams.append(mx.default_stream(mx.cpu)))
    thread.start()
    thread.join()

    assert streams[0] != streams[1]


def test_evaluated_arrays_are_used_in_other_threads():
    a, results = mx.arange(4), []
    mx.eval(a)
    thread = threading.Thread(target=lambda: results.append((a * 2).tolist()))
    thread.start()
    thread.join()

    assert results == [[0, 2, 4, 6]]


# --- more kinds of streams ---


@pytest.mark.native
def test_a_thread_unsafe_stream_serves_every_thread():
    stream, results = mx.new_thread_unsafe_stream(mx.cpu), []
    lazy = mx.add(mx.arange(3, stream=stream), 1, stream=stream)
    thread = threading.Thread(target=lambda: results.append(lazy.tolist()))
    thread.start()
    thread.join()

    assert results == [[1, 2, 3]]
    assert stream.device == mx.cpu
    assert stream != mx.new_thread_unsafe_stream(mx.cpu)


@pytest.mark.native
def test_a_thread_local_stream_is_another_in_every_thread():
    stream, used = mx.new_thread_local_stream(mx.Device(mx.cpu)), []

    def use():
        with mx.stream(stream):
            used.append(mx.default_stream(mx.cpu))
            assert mx.add(mx.ones((2,)), 1).tolist() == [2, 2]
        assert mx.add(1, 2, stream=stream).item() == 3
        mx.synchronize(stream)

    use()
    use()
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()

    assert used[0] == used[1] != used[2]
    assert stream.device == mx.cpu
    assert repr(stream).startswith("ThreadLocalStream(Device(cpu, 0), ")
    assert stream == stream
    assert stream != mx.new_thread_local_stream(mx.cpu)
    assert hash(stream) == hash(stream)


@pytest.mark.native
def test_a_thread_without_streams_of_its_own_computes_on_the_others():
    results = []

    def work():
        own, shared = mx.new_thread_local_stream(mx.cpu), mx.new_stream(mx.cpu)
        lost = mx.add(1, 2, stream=own)
        waiting = [mx.ones((2,)) + 1, mx.add(1, 2, stream=shared)]
        mx.clear_streams()
        with pytest.raises(RuntimeError, match="There is no Stream"):
            mx.eval(lost)
        results.extend(array.tolist() for array in waiting)
        results.append(mx.add(1, 2, stream=mx.cpu).item())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert results == [[2, 2], 3, 3]


@pytest.mark.native
def test_a_process_ends_after_clear_streams():
    program = """
import mlxc as mx
mx.eval(mx.ones((2,)) + 1)
mx.clear_streams()
mx.set_default_stream(mx.new_stream(mx.cpu))
print((mx.ones((2,)) + 1).tolist())
mx.clear_streams()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"[2.0, 2.0]\n", b"")


@pytest.mark.native
@pytest.mark.skipif(mx.is_available(mx.gpu), reason="there is a GPU")
def test_a_stream_needs_its_device():
    with pytest.raises(ValueError, match="without gpu backend"):
        mx.new_thread_unsafe_stream(mx.gpu)


def test_streams_are_made_by_their_functions_and_checked():
    with pytest.raises(TypeError, match="use mlxc.new_thread_local_stream"):
        mx.ThreadLocalStream()
    with pytest.raises(TypeError, match="expected a Device or DeviceType, got int"):
        mx.new_thread_local_stream(3)
    with pytest.raises(TypeError, match="stream must be a Stream, got int"):
        mx.set_default_stream(3)


def test_a_stream_context_may_be_entered_again_inside_itself():
    stream, before = mx.new_stream(mx.cpu), mx.default_stream(mx.cpu)
    context = mx.stream(stream)

    with context:
        with context:
            assert mx.default_stream(mx.cpu) == stream
        assert mx.default_stream(mx.cpu) == stream
    assert mx.default_stream(mx.cpu) == before


def test_a_device_has_a_type():
    with pytest.raises(TypeError, match=r"type must be mlxc\.cpu or mlxc\.gpu"):
        mx.Device("cpu")
    assert mx.Device(mx.cpu, 1) != mx.cpu
