"""Devices, streams, and the defaults that ops run on."""

from __future__ import annotations

from _thread import _local
from enum import Enum
from types import TracebackType
from typing import Any, TypeAlias

from ._errors import check, raise_last_error
from ._ffi import ffi, lib


class DeviceType(Enum):
    """The kind of a device; usable wherever a device or a stream is asked for."""

    cpu = 0
    gpu = 1

    def __repr__(self) -> str:
        return f"DeviceType.{self.name}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Device):
            return other == self
        return self is other

    __hash__ = Enum.__hash__


class Device:
    """A device to run operations on.

    Args:
        type: `cpu` or `gpu`.
        index: which device of that type.
    """

    __slots__ = ("index", "type")

    def __init__(self, type: DeviceType, index: int = 0) -> None:
        if not isinstance(type, DeviceType):
            raise TypeError(f"type must be mlxc.cpu or mlxc.gpu, got {type!r}")
        self.type = type
        self.index = index

    def __repr__(self) -> str:
        return f"Device({self.type.name}, {self.index})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DeviceType):
            return self.type is other and self.index == 0
        if isinstance(other, Device):
            return self.type is other.type and self.index == other.index
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.type.value, self.index))


cpu = DeviceType.cpu
gpu = DeviceType.gpu


class Stream:
    """A queue of operations on a device. Made by `new_stream`, not by calling the class."""

    __slots__ = ("_stream",)

    _stream: Any

    def __init__(self) -> None:
        raise TypeError("Stream cannot be made directly; use mlxc.new_stream(device)")

    @property
    def device(self) -> Device:
        """The device that the stream runs on."""
        with _owned(lib.mlx_device_new, lib.mlx_device_free, "mlx_device*") as device:
            check(lib.mlx_stream_get_device(device, self._stream[0]))
            return _read_device(device[0])

    @property
    def _index(self) -> int:
        index = ffi.new("int*")
        check(lib.mlx_stream_get_index(index, self._stream[0]))
        return int(index[0])

    def __repr__(self) -> str:
        return f"Stream({self.device!r}, {self._index})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stream):
            return NotImplemented
        return bool(lib.mlx_stream_equal(self._stream[0], other._stream[0]))

    def __hash__(self) -> int:
        return hash((self.device, self._index))


class ThreadLocalStream:
    """A stream of its own for every thread that uses it. Made by `new_thread_local_stream`."""

    __slots__ = ("_index", "device")

    def __init__(self) -> None:
        raise TypeError(
            "ThreadLocalStream cannot be made directly; use mlxc.new_thread_local_stream(device)"
        )

    #: The device that the streams run on.
    device: Device
    _index: int

    def __repr__(self) -> str:
        return f"ThreadLocalStream({self.device!r}, {self._index})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ThreadLocalStream):
            return NotImplemented
        return (self._index, self.device) == (other._index, other.device)

    def __hash__(self) -> int:
        return hash((self.device, self._index))

    def _here(self) -> Stream:
        """The calling thread's stream."""
        if (stream := _defaults.local.get(self)) is None:
            with _c_device(self.device) as c_device:
                c_stream = ffi.new("mlx_stream*")
                check(lib.mlxc_stream_of_this_thread(c_stream, self._index, c_device[0]))
            stream = _defaults.local[self] = _own_stream(c_stream[0])
        return stream


StreamOrDevice: TypeAlias = Stream | ThreadLocalStream | Device | DeviceType | None


class _owned:
    """A C value that lives for the length of a `with` block."""

    __slots__ = ("_free", "_new", "_type", "_value")

    def __init__(self, new: Any, free: Any, type: str) -> None:
        self._new, self._free, self._type = new, free, type

    def __enter__(self) -> Any:
        self._value = ffi.new(self._type, self._new())
        return self._value

    def __exit__(self, *_: object) -> None:
        self._free(self._value[0])


def _c_device(device: Device | DeviceType) -> Any:
    """A context manager giving the C device."""
    if isinstance(device, DeviceType):
        device = Device(device)
    elif not isinstance(device, Device):
        raise TypeError(f"expected a Device or DeviceType, got {type(device).__name__}")
    kind, index = device.type.value, device.index
    return _owned(lambda: lib.mlx_device_new_type(kind, index), lib.mlx_device_free, "mlx_device*")


def _read_device(device: Any) -> Device:
    kind, index = ffi.new("mlx_device_type*"), ffi.new("int*")
    check(lib.mlx_device_get_type(kind, device))
    check(lib.mlx_device_get_index(index, device))
    return Device(DeviceType(kind[0]), index[0])


def _free_stream(stream: Any) -> None:
    lib.mlx_stream_free(stream[0])


def _own_stream(c_stream: Any) -> Stream:
    if not c_stream.ctx:
        raise_last_error()
    lib.mlxc_remember_stream(c_stream)
    stream = Stream.__new__(Stream)
    stream._stream = ffi.gc(ffi.new("mlx_stream*", c_stream), _free_stream)
    return stream


def stream_address(stream: StreamOrDevice) -> int:
    """What `at` gives for anything but None: the handle that an op takes."""
    if isinstance(stream, Stream):
        return int(ffi.cast("uintptr_t", stream._stream[0].ctx))
    if isinstance(stream, (Device, DeviceType)):
        if (default := _defaults.streams.get(stream)) is None:
            default = _defaults.streams[stream] = default_stream(stream)
        return stream_address(default)
    if isinstance(stream, ThreadLocalStream):
        return stream_address(stream._here())
    raise TypeError(f"stream must be a Stream, a Device or None, got {type(stream).__name__}")


class _Defaults(_local):
    """The calling thread's streams, kept alive while their addresses are in use."""

    def __init__(self) -> None:
        self.streams: dict[Device | DeviceType, Stream] = {}
        self.local: dict[ThreadLocalStream, Stream] = {}


_defaults = _Defaults()


def default_device() -> Device:
    """The device that ops run on when they are given no stream.

    Example:
        >>> import mlxc as mx
        >>> with mx.stream(mx.cpu):
        ...     mx.default_device()
        Device(cpu, 0)
    """
    with _owned(lib.mlx_device_new, lib.mlx_device_free, "mlx_device*") as device:
        check(lib.mlx_get_default_device(device))
        return _read_device(device[0])


def set_default_device(device: Device | DeviceType) -> None:
    """Make `device` the default of ops without a stream, in all threads.

    Raises:
        ValueError: `device` is a GPU, and there is none.

    Example:
        >>> import mlxc as mx
        >>> before = mx.default_device()
        >>> mx.set_default_device(mx.cpu)
        >>> mx.default_device()
        Device(cpu, 0)
        >>> mx.set_default_device(before)
    """
    with _c_device(device) as c_device:
        check(lib.mlx_set_default_device(c_device[0]))
    lib.mlxc_default_stream_changed()


def default_stream(device: Device | DeviceType) -> Stream:
    """The calling thread's default stream on a device.

    Raises:
        ValueError: `device` is a GPU, and there is none.

    Example:
        >>> import mlxc as mx
        >>> mx.default_stream(mx.cpu).device
        Device(cpu, 0)
    """
    with _c_device(device) as c_device:
        c_stream = ffi.new("mlx_stream*")
        check(lib.mlx_get_default_stream(c_stream, c_device[0]))
    return _own_stream(c_stream[0])


def set_default_stream(stream: Stream) -> None:
    """Make `stream` the calling thread's default on its device.

    Example:
        >>> import mlxc as mx
        >>> before, stream = mx.default_stream(mx.cpu), mx.new_stream(mx.cpu)
        >>> mx.set_default_stream(stream)
        >>> mx.default_stream(mx.cpu) == stream
        True
        >>> mx.set_default_stream(before)
    """
    if not isinstance(stream, Stream):
        raise TypeError(f"stream must be a Stream, got {type(stream).__name__}")
    check(lib.mlx_set_default_stream(stream._stream[0]))
    _defaults.streams.clear()
    lib.mlxc_default_stream_changed()


def new_stream(device: Device | DeviceType) -> Stream:
    """A new stream on a device, for any thread.

    Raises:
        ValueError: `device` is a GPU, and there is none.

    Example:
        >>> import mlxc as mx
        >>> stream = mx.new_stream(mx.cpu)
        >>> mx.add(1, 2, stream=stream).item()
        3
    """
    with _c_device(device) as c_device:
        return _own_stream(lib.mlx_stream_new_device(c_device[0]))


def new_thread_unsafe_stream(device: Device | DeviceType) -> Stream:
    """What `new_stream` gives: here, every stream but a thread-local one serves any thread.

    Raises:
        ValueError: there is no such device.

    Example:
        >>> import mlxc as mx
        >>> a = mx.add(1, 2, stream=mx.new_thread_unsafe_stream(mx.cpu))
    """
    with _c_device(device) as c_device:
        c_stream = ffi.new("mlx_stream*")
        check(lib.mlxc_new_thread_unsafe_stream(c_stream, c_device[0]))
    return _own_stream(c_stream[0])


def new_thread_local_stream(device: Device | DeviceType) -> ThreadLocalStream:
    """What stands for a new stream on a device in every thread that uses it.

    Example:
        >>> import mlxc as mx
        >>> stream = mx.new_thread_local_stream(mx.cpu)
        >>> with mx.stream(stream):
        ...     a = mx.ones((2,)) + 1
    """
    with _c_device(device) as c_device:
        index = ffi.new("int*")
        check(lib.mlxc_new_thread_local_stream(index, c_device[0]))
    stream = ThreadLocalStream.__new__(ThreadLocalStream)
    stream.device = device if isinstance(device, Device) else Device(device)
    stream._index = index[0]
    return stream


def clear_streams() -> None:
    """End the streams that only the calling thread may use: those of thread-local streams.

    Arrays that were to be computed on them can no longer be evaluated. All other streams, the
    default ones too, serve every thread and stay.

    Example:
        >>> import mlxc as mx
        >>> def last_work_of_a_thread(stream: mx.ThreadLocalStream):
        ...     mx.eval(mx.add(1, 2, stream=stream))
        ...     mx.clear_streams()
    """
    _defaults.streams.clear()
    _defaults.local.clear()
    check(lib.mlxc_clear_streams())
    lib.mlxc_default_stream_changed()


def synchronize(stream: StreamOrDevice = None) -> None:
    """Wait until everything queued on a stream is done.

    Args:
        stream: the stream, or the device whose default stream is meant; None is the default
            stream of the default device.

    Raises:
        ValueError: `stream` is a GPU, and there is none.

    Example:
        >>> import mlxc as mx
        >>> a = mx.add(1, 2, stream=mx.cpu)
        >>> mx.async_eval(a)
        >>> mx.synchronize(mx.cpu)
    """
    if stream is None:
        stream = default_device()
    if isinstance(stream, ThreadLocalStream):
        stream = stream._here()
    elif not isinstance(stream, Stream):
        stream = default_stream(stream)
    check(lib.mlx_synchronize(stream._stream[0]))


def is_available(device: Device | DeviceType) -> bool:
    """Whether ops can run on a device.

    Example:
        >>> import mlxc as mx
        >>> mx.is_available(mx.cpu)
        True
    """
    with _c_device(device) as c_device:
        result = ffi.new("bool*")
        check(lib.mlx_device_is_available(result, c_device[0]))
    return bool(result[0])


def device_count(device_type: DeviceType) -> int:
    """How many devices of a type there are.

    Example:
        >>> import mlxc as mx
        >>> mx.device_count(mx.cpu)
        1
    """
    if not isinstance(device_type, DeviceType):
        raise TypeError(f"device_type must be mlxc.cpu or mlxc.gpu, got {device_type!r}")
    count = ffi.new("int*")
    check(lib.mlx_device_count(count, device_type.value))
    return int(count[0])


def device_info(d: Device | DeviceType | None = None) -> dict[str, str | int]:
    """What is known about a device: its name and architecture; of a GPU also its memory, and more.

    Args:
        d: the device; None is the default device.

    Returns:
        Values by name, sizes in bytes; nothing if `d` is a GPU that is not there.

    Example:
        >>> import mlxc as mx
        >>> "architecture" in mx.device_info(mx.cpu)
        True
    """
    result: dict[str, str | int] = {}
    with (
        _c_device(default_device() if d is None else d) as device,
        _owned(lib.mlx_device_info_new, lib.mlx_device_info_free, "mlx_device_info*") as info,
        _owned(lib.mlx_vector_string_new, lib.mlx_vector_string_free, "mlx_vector_string*") as keys,
    ):
        check(lib.mlx_device_info_get(info, device[0]))
        check(lib.mlx_device_info_get_keys(keys, info[0]))
        for i in range(lib.mlx_vector_string_size(keys[0])):
            key = ffi.new("char**")
            check(lib.mlx_vector_string_get(key, keys[0], i))
            result[ffi.string(key[0]).decode()] = _device_value(info[0], key[0])
    return result


def _device_value(info: Any, key: Any) -> str | int:
    is_string = ffi.new("bool*")
    check(lib.mlx_device_info_is_string(is_string, info, key))
    if is_string[0]:
        text = ffi.new("const char**")
        check(lib.mlx_device_info_get_string(text, info, key))
        return str(ffi.string(text[0]).decode())
    number = ffi.new("size_t*")
    check(lib.mlx_device_info_get_size(number, info, key))
    return int(number[0])


class StreamContext:
    """Sets the default device and stream for the length of a `with` block."""

    def __init__(self, s: Stream | ThreadLocalStream | Device | DeviceType) -> None:
        if not isinstance(s, (Stream, ThreadLocalStream, Device, DeviceType)):
            raise TypeError(f"expected a Stream or Device, got {type(s).__name__}")
        self._given = s
        self._before: list[Stream] = []

    def __enter__(self) -> None:
        self._before.append(default_stream(default_device()))
        if isinstance(self._given, ThreadLocalStream):
            stream = self._given._here()
        elif isinstance(self._given, Stream):
            stream = self._given
        else:
            stream = default_stream(self._given)
        set_default_device(stream.device)
        set_default_stream(stream)

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        before = self._before.pop()
        set_default_device(before.device)
        set_default_stream(before)


def stream(s: Stream | ThreadLocalStream | Device | DeviceType) -> StreamContext:
    """A context in which ops without a stream run on `s`.

    Example:
        >>> import mlxc as mx
        >>> with mx.stream(mx.cpu):
        ...     a = mx.ones((2,)) + 1
    """
    return StreamContext(s)
