"""A trained run as a service: predictions, or text as it is written, over HTTP.

`make_app` gives the ASGI application, for any server; `serve` runs it under uvicorn.  Whatever a
request holds, its answer is a result or a refusal (4xx) that says what was expected.
"""

from keras_impl.serving.app import make_app
from keras_impl.serving.limits import Limits
from keras_impl.serving.models import Served, load
from keras_impl.serving.server import serve

__all__ = ["Limits", "Served", "load", "make_app", "serve"]
