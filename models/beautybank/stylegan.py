"""StyleGAN2 (Karras et al., arXiv 1912.04958), configuration f, as far as BeautyBank needs it.

Names of parameters and buffers are those of the public PyTorch checkpoints, which BeautyBank's
`generator.pt` keeps under `generator.`.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_KERNEL = (1.0, 3.0, 3.0, 1.0)


class PixelNorm(nn.Module):
    """Scale each vector to a mean square of 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over channels."""
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class EqualLinear(nn.Module):
    """A linear layer whose weight is scaled when used, so that all learn at one rate (section 4.1).

    Args:
        before: numbers in.
        after: numbers out.
        bias: the bias begins with this.
        rate: share of the learning rate.
        active: leaky ReLU behind it, gain sqrt 2.
    """

    def __init__(
        self, before: int, after: int, bias: float = 0.0, rate: float = 1.0, active: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / rate)
        self.bias = nn.Parameter(torch.full((after,), bias))
        self.scale, self.rate, self.active = rate / math.sqrt(before), rate, active

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., before) to (..., after)."""
        x = F.linear(x, self.weight * self.scale, self.bias * self.rate)
        return F.leaky_relu(x, 0.2) * math.sqrt(2) if self.active else x


class FusedLeakyReLU(nn.Module):
    """Bias, leaky ReLU, gain sqrt 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Activate (B, C, H, W)."""
        return F.leaky_relu(x + self.bias[:, None, None], 0.2) * math.sqrt(2)


class Resample(nn.Module):
    """Low-pass filter, perhaps after doubling the size by zeros between the pixels."""

    kernel: Tensor

    def __init__(self, up: int, pad: tuple[int, int]) -> None:
        super().__init__()
        taps = torch.tensor(_KERNEL)
        kernel = taps[:, None] * taps[None]
        self.register_buffer("kernel", kernel / kernel.sum() * 4)
        self.up, self.pad = up, pad

    def forward(self, x: Tensor) -> Tensor:
        """Filter (B, C, H, W) channel by channel."""
        batch, channels, height, width = x.shape
        if self.up == 2:
            x = x.view(batch, channels, height, 1, width, 1)
            x = F.pad(x, (0, 1, 0, 0, 0, 1)).view(batch, channels, height * 2, width * 2)
        x = F.pad(x, (*self.pad, *self.pad))
        kernel = self.kernel.flip(0, 1).expand(channels, 1, -1, -1)
        return F.conv2d(x, kernel, groups=channels)


class ModulatedConv2d(nn.Module):
    """A convolution whose weight the style scales and normalises (equations 1 to 3)."""

    def __init__(
        self,
        before: int,
        after: int,
        size: int,
        style: int,
        *,
        demodulate: bool = True,
        upsample: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, after, before, size, size))
        self.modulation = EqualLinear(style, before, bias=1.0)
        self.scale = 1 / math.sqrt(before * size * size)
        self.demodulate, self.padding = demodulate, size // 2
        self.blur = Resample(1, (1, 1)) if upsample else None

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Convolve (B, C, H, W) by styles (B, S)."""
        batch, before, height, width = x.shape
        weight = self.scale * self.weight * self.modulation(style)[:, None, :, None, None]
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        x = x.reshape(1, batch * before, height, width)
        if self.blur is None:
            x = F.conv2d(x, weight.flatten(0, 1), padding=self.padding, groups=batch)
            return x.view(batch, -1, height, width)
        x = F.conv_transpose2d(x, weight.transpose(1, 2).flatten(0, 1), stride=2, groups=batch)
        return self.blur(x.view(batch, -1, *x.shape[2:]))


class NoiseInjection(nn.Module):
    """Add noise of a learned strength."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Add noise, (1 or B, 1, H, W)."""
        return x + self.weight * noise


class StyledConv(nn.Module):
    """Modulated convolution, noise, activation."""

    def __init__(self, before: int, after: int, style: int, upsample: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(before, after, 3, style, upsample=upsample)
        self.noise = NoiseInjection()
        self.activate = FusedLeakyReLU(after)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """One layer."""
        return self.activate(self.noise(self.conv(x, style), noise))


class ToRGB(nn.Module):
    """Features to a picture, added to the smaller one, enlarged."""

    def __init__(self, before: int, style: int, upsample: bool = True) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(before, 3, 1, style, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        if upsample:
            self.upsample = Resample(2, (2, 1))

    def forward(self, x: Tensor, style: Tensor, skip: Tensor | None = None) -> Tensor:
        """The picture so far, (B, 3, H, W), about -1..1."""
        picture = self.conv(x, style) + self.bias
        return picture if skip is None else picture + self.upsample(skip)


class ConstantInput(nn.Module):
    """The learned 4 x 4 that every picture grows from."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))

    def forward(self, batch: int) -> Tensor:
        """The same for all."""
        return self.input.expand(batch, -1, -1, -1)


class Generator(nn.Module):
    """The synthesis network and its mapping.

    Args:
        size: side of the picture, a power of two.
        style: numbers of a style.
        depth: layers of the mapping.
        widest: channels at the small sizes; 512 as published.
    """

    def __init__(
        self, size: int = 1024, style: int = 512, depth: int = 8, widest: int = 512
    ) -> None:
        super().__init__()
        self.log_size = int(math.log2(size))
        self.n_latent = self.log_size * 2 - 2
        self.channels = {
            2**k: min(widest, widest * 64 // 2**k) for k in range(2, self.log_size + 1)
        }
        mapping = [EqualLinear(style, style, rate=0.01, active=True) for _ in range(depth)]
        self.style = nn.Sequential(PixelNorm(), *mapping)
        self.input = ConstantInput(self.channels[4])
        self.conv1 = StyledConv(self.channels[4], self.channels[4], style)
        self.to_rgb1 = ToRGB(self.channels[4], style, upsample=False)
        self.convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        self.noises = nn.Module()
        for layer in range(self.n_latent - 1):
            side = 2 ** ((layer + 5) // 2)
            self.noises.register_buffer(f"noise_{layer}", torch.randn(1, 1, side, side))
        before = self.channels[4]
        for k in range(3, self.log_size + 1):
            after = self.channels[2**k]
            self.convs.append(StyledConv(before, after, style, upsample=True))
            self.convs.append(StyledConv(after, after, style))
            self.to_rgbs.append(ToRGB(after, style))
            before = after

    def noise(self, layer: int) -> Tensor:
        """The noise kept for a layer."""
        return getattr(self.noises, f"noise_{layer}")

    def map(self, codes: Tensor) -> Tensor:
        """Z or Z+, (B, D) or (B, L, D), to W or W+, layer by layer."""
        return self.style(codes.flatten(0, -2)).view(codes.shape)
