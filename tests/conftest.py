"""What holds for all tests."""

from hypothesis import settings

# Time is never asserted: a machine under load is no failure.
settings.register_profile("mlxrs", deadline=None)
settings.load_profile("mlxrs")
