"""The published system (arXiv 2411.11231) at full size: StyleGAN2 with a second path for makeup.

    network = load_generator(Path("generator.safetensors"))   # 74.18 M parameters, 1024 x 1024
    picture = network(bare_code, makeup_code, interp_weights=[0.75] * 7 + [1] * 11)

Both codes are 18 x 512 in Z+. The bare code drives a frozen StyleGAN2. The makeup code adds to it:
at layers 0 to 6, its *structure*, residual blocks modulated by T_s(makeup); at layers 7 to 17, its
*colour*, T_c(makeup) in place of the layer's own style.

Nothing here has run on the published weights: they are pickles of a gigabyte on a hub this machine
does not reach. Parameter counts and the names of keys are tested; toys run in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from models.beautybank.stylegan import EqualLinear, FusedLeakyReLU, Generator, PixelNorm
from models.errors import CheckpointError

STRUCTURE_LAYERS = 7
"""Layers 0 to 6 carry structure, the rest colour."""


class EqualConv2d(nn.Module):
    """A 3 x 3 convolution scaled when used, without bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, channels, 3, 3))
        self.scale = 1 / math.sqrt(channels * 9)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, H, W), same size."""
        return nn.functional.conv2d(x, self.weight * self.scale, padding=1)


class AdaptiveInstanceNorm(nn.Module):
    """Instance norm whose scale and shift the style says."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.style = nn.Linear(style, channels * 2)
        with torch.no_grad():
            self.style.bias[:channels] = 1
            self.style.bias[channels:] = 0

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Normalise (B, C, H, W) by styles (B, S)."""
        scale, shift = self.style(style)[..., None, None].chunk(2, 1)
        return scale * self.norm(x) + shift


class ModRes(nn.Module):
    """Modulative residual block: w * conv(norm(conv(norm(x)))) + x, next to nothing at first."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(EqualConv2d(channels), FusedLeakyReLU(channels))
        self.conv2 = nn.Sequential(EqualConv2d(channels), FusedLeakyReLU(channels))
        self.norm = AdaptiveInstanceNorm(channels, style)
        self.norm2 = AdaptiveInstanceNorm(channels, style)
        with torch.no_grad():
            for conv in (self.conv[0], self.conv2[0]):
                conv.weight.mul_(0.01)  # pyright: ignore[reportCallIssue]

    def forward(self, x: Tensor, style: Tensor, weight: float = 1.0) -> Tensor:
        """Add makeup's structure to features."""
        return weight * self.conv2(self.norm2(self.conv(self.norm(x, style)), style)) + x


class PublishedBeautyBank(nn.Module):
    """The generator with both paths.

    Args:
        size: side of the picture, a power of two from 64 on.
        style: numbers of a layer's code.
        widest: channels at the small sizes.
    """

    def __init__(self, size: int = 1024, style: int = 512, widest: int = 512) -> None:
        super().__init__()
        self.n_style = style
        pattern = [EqualLinear(style, style, rate=0.01, active=True) for _ in range(2)]
        self.style = nn.Sequential(PixelNorm(), *pattern)  # T_s
        self.generator = Generator(size, style, 8, widest)
        self.res = nn.ModuleList()
        for layer in range(self.n_latent):
            if layer < STRUCTURE_LAYERS:
                self.res.append(ModRes(self.generator.channels[2 ** ((layer + 5) // 2)], style))
                continue
            color = EqualLinear(style, style)  # T_c begins as the identity
            with torch.no_grad():
                near = torch.eye(style) * math.sqrt(style)
                color.weight.copy_(near + 0.01 * torch.randn(style, style))
            self.res.append(color)

    @property
    def n_latent(self) -> int:
        """Layers of a code."""
        return self.generator.n_latent

    def forward(
        self,
        bare: Tensor,
        makeup: Tensor | None,
        interp_weights: Sequence[float] | None = None,
    ) -> Tensor:
        """Draw faces.

        Args:
            bare: (B, L, D) bare codes in Z+.
            makeup: (B, L, D) makeup codes in Z+, or None for the bare face.
            interp_weights: strength of the makeup at each layer, L numbers; all 1 when None.

        Returns:
            (B, 3, size, size), about -1..1.
        """
        g, weights = self.generator, interp_weights or [1.0] * self.n_latent
        latent = g.map(bare)
        styles = [latent[:, layer] for layer in range(self.n_latent)]
        structure = None
        if makeup is not None:
            colors = g.map(makeup)
            structure = self.style(colors.flatten(0, 1)).view(colors.shape)
            for layer in range(STRUCTURE_LAYERS, self.n_latent):
                own = styles[layer]
                styles[layer] = own + weights[layer] * (self.res[layer](colors[:, layer]) - own)

        def patterned(x: Tensor, layer: int) -> Tensor:
            if structure is None or layer >= STRUCTURE_LAYERS:
                return x
            return self.res[layer](x, structure[:, layer], weights[layer])

        x = patterned(g.conv1(g.input(len(bare)), styles[0], g.noise(0)), 0)
        picture = g.to_rgb1(x, styles[1])
        for block, to_rgb in enumerate(g.to_rgbs):
            layer = 2 * block + 1
            x = patterned(g.convs[2 * block](x, styles[layer], g.noise(layer)), layer)
            x = g.convs[2 * block + 1](x, styles[layer + 1], g.noise(layer + 1))
            x = patterned(x, layer + 1)
            picture = to_rgb(x, styles[layer + 2], picture)
        return picture


def build_sampler(part: str, layers: int = 18, style: int = 512) -> nn.Sequential:
    """The paper's ICP generator of one part of its codes, for noise of 128 numbers.

    Args:
        part: "structure", layers 0 to 6, or "colour", the others.
        layers: of a code.
        style: numbers of a layer.
    """
    layers = {"structure": STRUCTURE_LAYERS, "colour": layers - STRUCTURE_LAYERS}[part]
    blocks: list[nn.Module] = []
    for _ in range(3):
        blocks += [nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()]
    return nn.Sequential(*blocks, nn.Linear(128, layers * style))


def load_sampler(path: Path, part: str, network: PublishedBeautyBank) -> nn.Sequential:
    """Read the ICP generator of one part of a network's codes, in evaluation mode.

    Raises:
        CheckpointError: the file is missing, damaged, or holds another network.
    """
    sampler = build_sampler(part, network.n_latent, network.n_style)
    try:
        sampler.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise CheckpointError(f"{path}: {error}", found=None, needed=path.name) from None
    return sampler.eval()


def published_weights(path: Path) -> dict[str, Tensor]:
    """The averaged generator of a checkpoint in the public format, brought to safetensors.

    `generator.pt` holds `g_ema`, a dict of the very keys `PublishedBeautyBank` has. We do not
    unpickle; convert it on a machine you trust: `save_file(torch.load(p)["g_ema"], q)`.

    Raises:
        CheckpointError: the file is missing, damaged, or holds other keys.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: {error}", found=None, needed=path.name) from None
    tensors = {key.removeprefix("g_ema."): value for key, value in tensors.items()}
    if not any(key.startswith("res.0.conv.0.") for key in tensors):
        raise CheckpointError(
            f"{path} holds no BeautyBank generator",
            found=sorted(tensors)[:3],
            needed="res.0.conv.0.weight",
        )
    return tensors


def load_generator(path: Path) -> PublishedBeautyBank:
    """Read a generator in evaluation mode, of whatever size its file is.

    Raises:
        CheckpointError: the file is missing, damaged, or holds another network.
    """
    tensors = published_weights(path)
    try:
        layers = 1 + max(int(key.split(".")[1]) for key in tensors if key.startswith("res."))
        style, _ = tensors["style.1.weight"].shape
        _, widest, _, _ = tensors["generator.input.input"].shape
        network = PublishedBeautyBank(2 ** (layers // 2 + 1), style, widest)
        network.load_state_dict(tensors)
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: {error}", found=None, needed=path.name) from None
    return network.eval()
