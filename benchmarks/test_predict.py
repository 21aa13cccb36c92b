"""The outputs for 10,000 rows, beside Keras's compiled predict step."""


def test_rows(work_beside_keras):
    work_beside_keras("predict")
