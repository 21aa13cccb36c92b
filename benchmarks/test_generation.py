"""One character written, the states carried: beside a compiled step, and ``model.predict``."""

import pytest


@pytest.mark.parametrize("name", ["generate", "generate-window"])
def test_character(work_beside_keras, name):
    work_beside_keras(name)
