"""How arrays are shown, and the options of printing."""

import array as standard
import reprlib

import pytest

import mlxc as mx

# mlx-c has no print options.


@pytest.fixture
def as_before():
    before = mx.get_printoptions().precision
    yield
    mx.set_printoptions(before)


@pytest.mark.native
@pytest.mark.usefixtures("as_before")
def test_the_precision_is_a_number_of_decimal_places():
    a = mx.array([1.23456789, 2])

    mx.set_printoptions(precision=3)

    assert mx.get_printoptions().precision == 3
    assert repr(a) == "array([1.235, 2.000], dtype=float32)"


@pytest.mark.native
@pytest.mark.usefixtures("as_before")
def test_minus_one_is_the_default():
    mx.set_printoptions(2)
    mx.set_printoptions()

    assert repr(mx.array([1.23456789, 2])) == "array([1.23457, 2], dtype=float32)"


@pytest.mark.native
@pytest.mark.usefixtures("as_before")
def test_options_of_a_block_end_with_it():
    with pytest.raises(KeyError), mx.printoptions(precision=1):
        assert repr(mx.array(1.25)) == "array(1.2, dtype=float32)"
        with mx.printoptions(4):
            assert mx.get_printoptions().precision == 4
        assert mx.get_printoptions().precision == 1
        raise KeyError

    assert mx.get_printoptions().precision == -1


@pytest.mark.native
@pytest.mark.usefixtures("as_before")
def test_the_options_that_are_read_are_a_copy():
    options = mx.get_printoptions()

    options.precision = 3

    assert options.precision == mx.PrintOptions(precision=3).precision
    assert mx.get_printoptions().precision == -1


@pytest.mark.parametrize("make", [mx.set_printoptions, mx.printoptions, mx.PrintOptions])
def test_a_precision_is_an_integer(make):
    with pytest.raises(TypeError):
        make("x")


@pytest.mark.parametrize("places", [1075, 2**31 - 1, 2**70])
def test_more_places_than_a_number_has_are_refused(places):
    for function in (mx.set_printoptions, mx.printoptions, mx.PrintOptions):
        with pytest.raises(ValueError, match="precision must be at most 1074"):
            function(places)


def test_reprlib_shows_arrays_and_those_of_the_standard_library():
    numbers = standard.array("i", [1, 2])

    assert reprlib.repr([mx.array([1, 2])]) == "[array([1, 2], dtype=int32)]"
    assert reprlib.repr(numbers) == "array('i', [1, 2])"
    assert len(reprlib.repr(mx.arange(1000))) == 30
