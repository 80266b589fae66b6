"""The published encoder: a photograph of 256 pixels to a bare code of 18 x 512 (pSp, 2008.00951).

An IR-SE50 face network gives features at three sizes; from each, small heads read the layers of the
code: the coarse ones from the smallest. Names of parameters are those of the public checkpoint.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from models.beautybank.stylegan import EqualLinear
from models.errors import CheckpointError

_COARSE, _MIDDLE = 3, 7
_BLOCKS = ((64, 3), (128, 4), (256, 14), (512, 3))


class SqueezeExcite(nn.Module):
    """Weight channels by what the whole picture shows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(1, channels // 16)
        self.fc1 = nn.Conv2d(channels, few, 1, bias=False)
        self.fc2 = nn.Conv2d(few, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weight (B, C, H, W)."""
        return x * self.fc2(self.fc1(x.mean((2, 3), keepdim=True)).relu()).sigmoid()


class IrSeBlock(nn.Module):
    """Residual block of IR-SE50."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        if before == after:
            self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Conv2d(before, after, 3, 1, 1, bias=False),
            nn.PReLU(after),
            nn.Conv2d(after, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            SqueezeExcite(after),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Halve (B, C, H, W) if the stride is 2."""
        return self.res_layer(x) + self.shortcut_layer(x)


class StyleHead(nn.Module):
    """Features of one size to one layer of the code, by halving until one pixel is left."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(int(math.log2(side))):
            layers += [nn.Conv2d(channels, channels, 3, 2, 1), nn.LeakyReLU()]
        self.convs = nn.Sequential(*layers)
        self.linear = EqualLinear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, side, side) to (B, C)."""
        return self.linear(self.convs(x).flatten(1))


class PspEncoder(nn.Module):
    """Photograph to bare code.

    Args:
        layers: of the code.
        width: channels of the first stage; the code has 8 times as many numbers. 64 as published.
    """

    def __init__(self, layers: int = 18, width: int = 64) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)
        )
        body: list[nn.Module] = []
        before = width
        for channels, depth in _BLOCKS:
            after = channels * width // 64
            body += [
                IrSeBlock(before if k == 0 else after, after, 2 - (k > 0)) for k in range(depth)
            ]
            before = after
        self.body = nn.Sequential(*body)
        ends = [sum(depth for _, depth in _BLOCKS[: k + 1]) - 1 for k in (1, 2, 3)]
        self._ends = tuple(ends)
        sides = [16] * _COARSE + [32] * (_MIDDLE - _COARSE) + [64] * (layers - _MIDDLE)
        self.styles = nn.ModuleList([StyleHead(before, side) for side in sides])
        self.latlayer1 = nn.Conv2d(width * 4, before, 1)
        self.latlayer2 = nn.Conv2d(width * 2, before, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Encode.

        Args:
            picture: (B, 3, 256, 256) in -1..1, aligned as FFHQ.

        Returns:
            (B, layers, 8 width), Z+.
        """
        x, kept = self.input_layer(picture), []
        for number, block in enumerate(self.body):
            x = block(x)
            if number in self._ends:
                kept.append(x)
        fine, middle, coarse = kept
        middle = self.latlayer1(middle) + _as_large(coarse, middle)
        fine = self.latlayer2(fine) + _as_large(middle, fine)
        sources = [coarse] * _COARSE + [middle] * (_MIDDLE - _COARSE)
        sources += [fine] * (len(self.styles) - _MIDDLE)
        heads = zip(self.styles, sources, strict=True)
        return torch.stack([head(source) for head, source in heads], 1)


def load_encoder(path: Path) -> PspEncoder:
    """Read an encoder in evaluation mode, of whatever size its file is.

    Args:
        path: `state_dict` of the public checkpoint as safetensors; where it holds a decoder, too,
            what begins with `encoder.` is read.

    Raises:
        CheckpointError: the file is missing, damaged, or holds another network.
    """
    try:
        tensors = load_file(path)
        own = {key: value for key, value in tensors.items() if key.startswith("encoder.")}
        tensors = {key.removeprefix("encoder."): value for key, value in (own or tensors).items()}
        layers = 1 + max(int(key.split(".")[1]) for key in tensors if key.startswith("styles."))
        network = PspEncoder(layers, len(tensors["input_layer.0.weight"]))
        network.load_state_dict(tensors)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: {error}", found=None, needed=path.name) from None
    return network.eval()


def _as_large(x: Tensor, other: Tensor) -> Tensor:
    return F.interpolate(x, other.shape[2:], mode="bilinear", align_corners=True)
