"""Run as a process of its own: asks exported models, with what their users have installed.

``python fresh.py FOLDER``: reads FOLDER/raw.json and each model; writes FOLDER/answers.npz.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

ENDING = r"(?:n't|'(?:ll|re|ve|s|d|m))(?![\w\u0300-\u036f])"
LETTER = r"[\w\u0300-\u036f]"
WORD = rf"{ENDING}|{LETTER}(?:'?{LETTER})*?(?={ENDING})|{LETTER}+(?:'{LETTER}+)*"


def ids(text, said):
    """The ids of a text, by what an ONNX file's metadata say."""
    places = {symbol: n for n, symbol in enumerate(json.loads(said["symbols"]))}
    if "length" in said:
        length = int(said["length"])
        text = re.sub("[A-Z]", lambda match: match[0].lower(), text)
        text = text.translate(dict.fromkeys(map(ord, said["separators"]), " "))
        found = [1, *(places.get(word, 2) for word in text.split(" ") if word)][-length:]
        return [0] * (length - len(found)) + found
    if said["unit"] == "word":
        words = re.findall(WORD, text.lower().replace("’", "'").replace("_", " "))
        found = [places.get(word, places[said["unknown"]]) for word in words]
    else:
        found = [places[one] for one in (text.lower() if said["lower_case"] == "true" else text)]
    return found[-int(said["window"]) :]


def by_onnx(path, raw):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    (answer,) = session.get_outputs()
    said = session.get_modelmeta().custom_metadata_map
    assert given.name == json.loads(said["input"])["name"]
    assert answer.name == json.loads(said["output"])["name"] == "outputs"
    if given.name == "rows":
        return session.run(None, {"rows": np.array(raw, "float32")})[0]
    shown = [np.array([ids(text, said)], "int32") for text in raw]
    return np.concatenate([session.run(None, {"ids": one})[0] for one in shown])


def by_tensorflow(path, raw):
    import tensorflow as tf

    serve = tf.saved_model.load(path).signatures["serving_default"]
    said = json.loads((Path(path) / "assets.extra/description.json").read_text(encoding="utf-8"))
    given = {said["input"]["name"]: tf.constant(raw, said["input"]["dtype"])}
    return serve(**given)[said["output"]["name"]].numpy()


def by_keras(path, raw):
    import keras

    import keras_impl.preprocessing  # noqa: F401

    model = keras.saving.load_model(path)
    if "nietzsche" in path:
        return model.predict(np.array(raw, object), batch_size=3, verbose=0)
    return model(keras.ops.convert_to_tensor(raw, model.inputs[0].dtype))


def main(folder):
    questions = json.loads((folder / "raw.json").read_text(encoding="utf-8"))
    answers = {}
    for ending, ask in ((".onnx", by_onnx), ("", by_tensorflow), (".keras", by_keras)):
        for name, raw in questions.items():
            answers[f"{name}{ending}"] = ask(str(folder / f"{name}{ending}"), raw)
        foreign = {"tensorflow", "keras"} if ending == ".onnx" else {"scratchnet", "keras_impl"}
        if ending != ".keras":
            assert not foreign & sys.modules.keys(), foreign & sys.modules.keys()
    np.savez(folder / "answers.npz", **answers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
