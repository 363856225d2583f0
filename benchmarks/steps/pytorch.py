"""The same model in PyTorch: ResNet50 on all frames in channels_last, LSTMs over time and words, a dense head."""

from __future__ import annotations

import os

import torch
from serve import serve
from torch import nn
from work import NUM_CLASSES, NUM_WORDS, Work

UNITS, EMBEDDING_UNITS = 256, 128
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # channels, blocks, stride


class Block(nn.Module):
    """A bottleneck, with the stride in its first convolution, as in the paper (He et al. 2015) and in Keras."""

    def __init__(self, size: int, channels: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_convolution(size, channels, 1, stride), nn.ReLU(),
            *_convolution(channels, channels, 3), nn.ReLU(),
            *_convolution(channels, 4 * channels, 1),
        )  # fmt: skip
        is_changed = stride != 1 or size != 4 * channels
        self.shortcut = nn.Sequential(*_convolution(size, 4 * channels, 1, stride)) if is_changed else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.branch(x) + self.shortcut(x))


def _convolution(size: int, channels: int, kernel: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(size, channels, kernel, stride, kernel // 2), nn.BatchNorm2d(channels)


def _resnet50() -> nn.Sequential:
    layers: list[nn.Module] = [*_convolution(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    size = 64
    for channels, num_blocks, stride in STAGES:
        for number in range(num_blocks):
            layers.append(Block(size, channels, stride if number == 0 else 1))
            size = 4 * channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class VideoModel(nn.Module):
    """Frames [B, T, 3, H, W] and token ids [B, L] to logits [B, K]."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.projection = _resnet50(), nn.Linear(2048, UNITS)
        self.over_time = nn.LSTM(UNITS, UNITS, batch_first=True)
        self.embedding = nn.Embedding(NUM_WORDS, EMBEDDING_UNITS)
        self.over_words = nn.LSTM(EMBEDDING_UNITS, UNITS, batch_first=True)
        self.head = nn.Sequential(nn.Linear(2 * UNITS, UNITS), nn.ReLU(), nn.Linear(UNITS, NUM_CLASSES))

    def forward(self, frames: torch.Tensor, token_ids: torch.Tensor) -> torch.Tensor:
        pictures = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last).float() - 120
        features = self.projection(self.backbone(pictures)).unflatten(0, frames.shape[:2])
        seen, said = self.over_time(features)[0][:, -1], self.over_words(self.embedding(token_ids))[0][:, -1]
        return self.head(torch.cat([seen, said], 1))


def main(*, compiled: bool = False) -> None:
    work, device = Work.from_command_line(), "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.set_float32_matmul_precision("high")  # as convolutions on a GPU are computed, and as Keras on JAX does
    inputs = work.inputs()
    frames = torch.from_numpy(inputs["frames"]).permute(0, 1, 4, 2, 3)
    batch = [frames, torch.from_numpy(inputs["token_ids"]), torch.from_numpy(work.labels()).long()]
    if device == "cuda":
        batch = [values.pin_memory() for values in batch]
    model = VideoModel().to(device, memory_format=torch.channels_last).train(work.is_training)
    if compiled:
        model.compile()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)

    def forward() -> tuple[torch.Tensor, torch.Tensor]:
        frames, token_ids, labels = (values.to(device, non_blocking=True) for values in batch)
        with torch.autocast(device, torch.bfloat16, enabled=work.precision == "bfloat16"):
            return model(frames, token_ids).float(), labels

    def train() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(*forward(), label_smoothing=0.05).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    @torch.no_grad()
    def answer() -> None:
        forward()[0].softmax(1).cpu()

    def run(number: int) -> None:
        for _ in range(number):
            train() if work.is_training else answer()
        if device == "cuda":
            torch.cuda.synchronize()

    serve(run)


if __name__ == "__main__":
    main()
