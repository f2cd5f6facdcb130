"""Functions with rules of their own for the transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._closure import address_of, apply_and_free, closure, jvp_rule, vjp_rule, vmap_rule
from ._ffi import lib
from ._handle import Handle
from ._leaves import arrays_in, arrays_only, form_of, paired, with_arrays
from .ops.create import zeros_like

if TYPE_CHECKING:
    from ._array import array

__all__ = ["custom_function"]

Rule = Callable[..., Any]


class custom_function:
    """A function whose gradient, tangent or vectorization is written by hand.

    It is made as a decorator, and so are its rules: `vjp`, `jvp` and `vmap`. What has no rule
    is derived from the function as usual. Arrays that the function captures are constants: no
    gradient flows to them.

    Args:
        f: takes and returns trees of arrays; other leaves are constants.

    Raises:
        TypeError: `f` is not callable.
        ValueError: when it is called, a rule gives something of the wrong form, or a function
            with rules returns no array. What the function and the rules raise arrives unchanged.

    Example:
        >>> import mlxc as mx
        >>> @mx.custom_function
        ... def clipped(x):
        ...     return mx.minimum(x, 1.0)
        >>> @clipped.vjp
        ... def clipped_vjp(x, cotangent, output):
        ...     return cotangent
        >>> mx.grad(clipped)(mx.array(5.0))
        array(1, dtype=float32)
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        self._fun = _callable(f)
        self._vjp: Rule | None = None
        self._jvp: Rule | None = None
        self._vmap: Rule | None = None

    def vjp(self, f: Rule) -> custom_function:
        """Set the rule for gradients.

        Args:
            f: called with (primals, cotangents, outputs), and with the keyword arguments of the
                call. The primals are the one positional argument, or a tuple of several; the
                other two have the form of the result. It returns gradients in the form of the
                primals; None stands for zeros.

        Returns:
            The custom function.
        """
        self._vjp = _callable(f)
        return self

    def jvp(self, f: Rule) -> custom_function:
        """Set the rule for tangents; a function with one takes positional arguments only.

        Args:
            f: called with (primals, tangents): the one argument, or a tuple of several, and its
                tangents in the same form with None where there are none. It returns tangents in
                the form of the result; None stands for zeros.

        Returns:
            The custom function.
        """
        self._jvp = _callable(f)
        return self

    def vmap(self, f: Rule) -> custom_function:
        """Set the rule for `mlxc.vmap`; a function with one takes positional arguments only.

        Args:
            f: called with (inputs, axes): the one argument, or a tuple of several, and the axis
                of each array in the same form, None where it is not vectorized. It returns
                (outputs, axes), where an axis may be that of all arrays below it.

        Returns:
            The custom function.
        """
        self._vmap = _callable(f)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (self._vjp or self._jvp or self._vmap):
            return self._fun(*args, **kwargs)
        traced = _Call(self._fun, args, kwargs)
        vjp = traced.vjp_with(self._vjp) if self._vjp else None
        jvp = traced.jvp_with(self._jvp) if self._jvp else None
        vmap = traced.vmap_with(self._vmap) if self._vmap else None
        with (
            closure(traced.forward) as forward,
            vjp_rule(vjp) as c_vjp,
            jvp_rule(jvp) as c_jvp,
            vmap_rule(vmap) as c_vmap,
        ):
            rules = map(address_of, (c_vjp, c_jvp, c_vmap))
            made = lib.h_custom_function(forward, *rules)
            outputs = apply_and_free(made, arrays_in((args, kwargs)))
        return with_arrays(traced.result, outputs)


class _Call:
    """One call of a custom function: the forms between which its rules translate."""

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> None:
        self.fun = fun
        self.arguments = form_of((args, kwargs))
        self.primals = _one_or_all(self.arguments[0])
        self.places = arrays_only(self.primals)
        self.result: Any = None

    def forward(self, arrays: list[array]) -> list[array]:
        args, kwargs = with_arrays(self.arguments, arrays)
        result = self.fun(*args, **kwargs)
        self.result = form_of(result)
        if not (outputs := arrays_in(result)):
            raise ValueError("[custom_function] the function must return at least one array")
        return outputs

    def vjp_with(self, rule: Rule) -> Callable[..., list[array]]:
        def flat(
            primals: list[array], cotangents: list[array], outputs: list[array]
        ) -> list[array]:
            args, kwargs = with_arrays(self.arguments, primals)
            given = with_arrays(self.result, cotangents), with_arrays(self.result, outputs)
            gradients = rule(_one_or_all(args), *given, **kwargs)
            found = _beside(self.primals, gradients, "vjp")
            found += [None] * (len(primals) - len(found))
            return _zeros_for_none(found, primals)

        return flat

    def jvp_with(self, rule: Rule) -> Callable[..., list[array]]:
        self._check_positional("jvp")

        def flat(primals: list[array], tangents: list[array], places: list[int]) -> list[array]:
            spread: list[array | None] = [None] * len(primals)
            for place, tangent in zip(places, tangents, strict=True):
                spread[place] = tangent
            given = with_arrays(self.primals, primals), with_arrays(self.places, spread)
            found = _beside(self.result, rule(*given), "jvp")
            if all(tangent is not None for tangent in found):
                return found
            return _zeros_for_none(found, self.forward(primals))

        return flat

    def vmap_with(self, rule: Rule) -> Callable[..., tuple[list[array], list[int]]]:
        self._check_positional("vmap")

        def flat(inputs: list[array], axes: list[int]) -> tuple[list[array], list[int]]:
            shown = [None if axis == -1 else axis for axis in axes]
            pair = rule(with_arrays(self.primals, inputs), with_arrays(self.places, shown))
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ValueError("[custom vmap] the rule must return a tuple (outputs, axes)")
            outputs, output_axes = pair
            found = _beside(self.result, outputs, "vmap")
            pairs = paired(outputs, output_axes, spreads=(int, type(None)), same_type=False)
            places = [-1 if axis is None else axis for _, axis in pairs]
            if None in found or not all(isinstance(place, int) for place in places):
                raise ValueError("[custom vmap] outputs must be arrays, axes integers or None")
            return found, places

        return flat

    def _check_positional(self, rule: str) -> None:
        if self.arguments[1]:
            raise ValueError(
                f"[custom {rule}] a function with a {rule} rule takes positional arguments only"
            )


def _callable(f: Any) -> Any:
    if not callable(f):
        raise TypeError(f"[custom_function] f must be callable, got {type(f).__name__}")
    return f


def _one_or_all(args: tuple[Any, ...]) -> Any:
    return args[0] if len(args) == 1 else args


def _beside(form: Any, given: Any, rule: str) -> list[Any]:
    """What a rule gives for every array of a form: an array or None."""
    if not isinstance(form, (list, tuple, dict)) and isinstance(given, (list, tuple)):
        given = given[0] if len(given) == 1 else given
    try:
        pairs = list(paired(form, given, spreads=(type(None),), same_type=False))
    except ValueError as error:
        raise ValueError(f"[custom {rule}] the rule's result: {error}") from None
    for _, value in pairs:
        if value is not None and not isinstance(value, Handle):
            raise ValueError(
                f"[custom {rule}] the rule must give arrays or None, got {type(value).__name__}"
            )
    return [value for _, value in pairs]


def _zeros_for_none(values: list[Any], like: list[array]) -> list[array]:
    return [
        zeros_like(a) if value is None else value for value, a in zip(values, like, strict=True)
    ]
