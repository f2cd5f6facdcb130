"""Devices, streams and their defaults."""

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
