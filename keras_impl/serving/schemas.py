"""What is sent and what is answered: the OpenAPI schema is made of these."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model

from keras_impl.serving.limits import Limits
from scratchnet.experiments.readers import Columns, Language, Reviews
from scratchnet.tables import LARGEST

STRICT = ConfigDict(extra="forbid", strict=True)
"""A misspelt name is a mistake, and "5" is no number."""

LARGEST_SEED = 2**63 - 1

Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]


class Refusal(BaseModel):
    """Why there is no result."""

    detail: str = Field(description="What was expected, what came, and what to do.")


class Health(BaseModel):
    """Whether the service is alive, or takes requests."""

    status: str


class Prediction(BaseModel):
    """The network's outputs for a row, or a text."""

    outputs: dict[str, float] = Field(description="The network's outputs by their names.")
    classes: dict[str, int] | None = Field(
        description="1 where the output is above the run's cut-off; null where it has none."
    )


class Predictions(BaseModel):
    """One prediction a row or text, in their order."""

    predictions: list[Prediction]


class Written(BaseModel):
    """What was written behind a prompt."""

    prompt: str
    text: str = Field(description="What follows the prompt.")
    unknown: list[str] = Field(description="Words of the prompt that the network does not know.")


class Info(BaseModel):
    """What is served."""

    run: str
    experiment: str
    trained_with: str = Field(description="The engine that trained it: scratch or keras.")
    dtype: str
    path: str = Field(description="Where to send requests.")
    limits: dict[str, int | float]


def rows_schema(columns: Columns, limits: Limits) -> type[BaseModel]:
    """Return what a prediction for rows of a table is asked with."""
    names = columns.features
    named = {
        f"column_{i}": (Number | None if name in columns.fill else Number, Field(alias=name))
        for i, name in enumerate(names)
    }
    make: Any = create_model
    cell: Any = Number | None if columns.fill else Number
    shape = Field(min_length=len(names), max_length=len(names), description=", ".join(names))
    row: Any = Annotated[
        Annotated[make("NamedRow", __config__=STRICT, **named), Tag("named")]
        | Annotated[Annotated[list[cell], shape], Tag("listed")],
        Discriminator(lambda row: "listed" if isinstance(row, list) else "named"),
    ]
    example = [float(1 + i % 10) for i in range(len(names))]
    description = "Numbers by feature, or in the features' order."
    if columns.fill:
        description += f" Where it is not known, null: {', '.join(columns.fill)}."
    return create_model(
        "Rows",
        __config__=_example(rows=[example, dict(zip(names, example, strict=True))]),
        rows=(
            Annotated[list[row], Field(min_length=1, max_length=limits.rows)],
            Field(description=description),
        ),
    )


def reviews_schema(reviews: Reviews, limits: Limits) -> type[BaseModel]:
    """Return what a prediction for reviews is asked with."""
    text = Annotated[str, Field(max_length=limits.text)]
    return create_model(
        "Reviews",
        __config__=_example(texts=["A wonderful film.", "Boring from the beginning."]),
        texts=(
            Annotated[list[text], Field(min_length=1, max_length=limits.rows)],
            Field(
                description="Reviews in words, at least one of which the network knows; it reads "
                f"the last {reviews.length}."
            ),
        ),
    )


def prompt_schema(language: Language, limits: Limits) -> type[BaseModel]:
    """Return what a text is asked for with."""
    unit = language.vocabulary.unit_name
    length = min(400, limits.length)
    fields: dict[str, Any] = {
        "prompt": (
            Annotated[str, Field(min_length=1, max_length=limits.text)] | None,
            Field(None, description="What to go on from; null for a passage of the run's text."),
        ),
        "length": (int, Field(length, ge=1, le=limits.length, description=f"{unit}s to write.")),
        "temperature": (
            float,
            Field(
                0.5,
                ge=0,
                le=LARGEST,
                allow_inf_nan=False,
                description="Below 1 the likely becomes likelier; 0 takes the likeliest.",
            ),
        ),
        "top_k": (
            Annotated[int, Field(ge=1, le=LARGEST_SEED)] | None,
            Field(None, description="Only among this many likeliest."),
        ),
        "top_p": (
            Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None,
            Field(None, description="Only among the likeliest with this probability."),
        ),
        "seed": (
            int,
            Field(0, ge=0, le=LARGEST_SEED, description="Equal seeds draw the same."),
        ),
        "stream": (bool, Field(True, description="As it is written; false for one JSON object.")),
    }
    prompt = language.prompts[0][: limits.text]
    config = _example(prompt=prompt, length=length, temperature=0.5, seed=0)
    return create_model("Prompt", __config__=config, **fields)


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(**STRICT, json_schema_extra={"examples": [fields]})
