"""What a network that is learning a text writes after each epoch, at each temperature."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from scratchnet.archive import one_line
from scratchnet.backend import Array
from scratchnet.callbacks import Callback
from scratchnet.callbacks.base import Logs
from scratchnet.errors import DataError, InputError
from scratchnet.experiments.readers import Language
from scratchnet.files import write_whole
from scratchnet.generation import Writer, continuation
from scratchnet.model import Sequential
from scratchnet.text import Sampler, Vocabulary

Sample = dict[str, Any]
"""``epoch``, ``temperature``, ``prompt``, ``text``."""


class Listener(Protocol):
    """Whoever shows samples while they are written."""

    def sample_begins(self, epoch: int, temperature: float, prompt: str) -> None: ...

    def sample_goes_on(self, text: str) -> None: ...

    def sample_ends(self) -> None: ...


class SampleWriter(Callback):
    """Lets the network write after each epoch, and keeps the samples in ``samples.jsonl``.

    Parameters
    ----------
    path : Path
        The file.
    language : Language
        Prompts, temperatures and length.
    seed : int
        Decides, with the epoch, what is drawn.
    make_writer : function
        Takes the model, returns what writes with it.
    listener : Listener, optional
        Is told as the text comes.
    samples : list of dict, optional
        What `read_samples` returned, for a training that is resumed.
    """

    def __init__(
        self,
        path: Path,
        language: Language,
        seed: int,
        make_writer: Callable[[Sequential], Writer],
        listener: Listener | None = None,
        samples: Sequence[Sample] = (),
    ) -> None:
        self.path, self.language, self.seed = path, language, seed
        self.make_writer, self.listener = make_writer, listener
        self.samples = list(samples)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write a sample at each temperature."""
        language = self.language
        prompt = language.prompts[epoch % len(language.prompts)]
        writer = self.make_writer(self.model)
        for number, temperature in enumerate(language.temperatures):
            entropy = np.random.SeedSequence((self.seed, epoch, number))
            sampler = Sampler(temperature, seed=int(entropy.generate_state(1)[0]))
            if self.listener is not None:
                self.listener.sample_begins(epoch, temperature, prompt)
            text = ""
            for piece in pieces(writer, language, prompt, sampler, language.sample_length):
                text += piece
                if self.listener is not None:
                    self.listener.sample_goes_on(piece)
            if self.listener is not None:
                self.listener.sample_ends()
            self.samples.append(
                {"epoch": epoch, "temperature": temperature, "prompt": prompt, "text": text}
            )
        lines = (json.dumps(sample, ensure_ascii=False) + "\n" for sample in self.samples)
        write_whole(self.path, "".join(lines).encode())


def pieces(
    writer: Writer, language: Language, prompt: str, sampler: Sampler, length: int
) -> Iterator[str]:
    """Yield what follows a prompt, id by id, as the text that each adds.

    Raises
    ------
    InputError
        If the prompt is empty or has a character that the network does not know.
    """
    ids = language.inputs(prompt).tolist()
    if not ids:
        raise InputError("prompt: expected one or more ids, got none. Write one.")
    before = ids[-1]
    choose = sampler if language.vocabulary.unknown is None else _known(sampler)
    for number, token in enumerate(continuation(writer, ids, choose, length)):
        piece = _added(language.vocabulary, before, token)
        yield piece.lstrip() if number == 0 and _has_its_space(prompt, language) else piece
        before = token


def _known(sampler: Sampler) -> Callable[[Array], int]:
    """Return a sampler that never draws what stands for unknown words, id 0."""
    return lambda logits: sampler(np.concatenate(([-np.inf], logits[1:])))


def _added(vocabulary: Vocabulary, before: int, token: int) -> str:
    """Return what an id adds to the text: between words that is also the space."""
    return vocabulary.decode([before, token]).removeprefix(vocabulary.decode([before]))


def _has_its_space(prompt: str, language: Language) -> bool:
    return language.vocabulary.unit == "word" and prompt[-1].isspace()


def read_samples(path: Path, epochs: int) -> list[Sample]:
    """Return the samples of the first epochs; none where there is no file.

    Raises
    ------
    DataError
        If the file is not one that a training wrote.
    """
    if not epochs or not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # a sample may hold other line ends
        samples = [json.loads(line) for line in lines if line]
        return [sample for sample in samples if sample["epoch"] < epochs]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path}: expected samples of a run, got others ({one_line(str(error))}). Remove it."
        ) from error
