"""Words in the training data that a model does not read."""

from __future__ import annotations

from vidmodel_tf.config import MODEL_FIELDS, TEXT_FIELDS, ModelConfig
from vidmodel_tf.records.data_set import DataSet


def describe_unread_words(data: DataSet, config: ModelConfig) -> str | None:
    """A line that names the text fields with words in the training split that the model leaves aside.

    None where there are none. A model of frames alone leaves words aside on purpose, but not questions: without them
    the same frames have several answers.
    """
    read = config.text_fields if config.has_text else TEXT_FIELDS
    clips, others = data.in_split("train"), [field for field in MODEL_FIELDS if field not in read]
    counts = {field: sum(bool(clip.text.get(field, "").strip()) for clip in clips) for field in others}
    found = ", ".join(f"{field} ({count} of {len(clips)} clips)" for field, count in counts.items() if count)
    if not found:
        return None
    return f"the training clips have words that the model does not read: {found}; model.text_fields says what it reads"
