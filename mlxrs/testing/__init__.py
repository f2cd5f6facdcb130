"""Models whose answers are known beforehand, for tests of what is built on models.

They need no weights and no tokenizer, run in microseconds, and advance their caches as real models
do. `FakeModel` says one token always, `ScriptedModel` a given reply, `FailingModel` breaks when it
is told to, and `RecallModel` answers by all that its caches hold, so that a cache that is wrong in
anything changes the reply.
"""

from .failing import FailingModel, ModelBroke
from .fake import FakeModel, one_hot
from .recall import RecallModel
from .scripted import ScriptedModel

__all__ = [
    "FailingModel",
    "FakeModel",
    "ModelBroke",
    "RecallModel",
    "ScriptedModel",
    "one_hot",
]
