"""Random augmentation of faces, so that the network learns the person and not the picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from facelib.train.settings import MEAN, SCALE, Augmentation

_BLURRED_SIDES = (0.25, 0.5)  # of a blurred face: 28 to 56 pixels of 112, as faces in the depth of a scene have


def to_input(faces: Tensor) -> Tensor:
    """Return faces `(n, size, size, 3)` uint8 RGB as a network's input: `(n, 3, size, size)` float32 from -1 to 1."""
    return (faces.permute(0, 3, 1, 2).float() - MEAN) * SCALE


def augment(faces: Tensor, how: Augmentation, *, seed: int) -> Tensor:
    """Augment each face at random.

    Args:
        faces: `(n, 3, size, size)` float32 from -1 to 1, on any device.
        how: What may happen to them, and how far.
        seed: The same one gives the same changes, on every device.

    Returns:
        New faces of the same shape; values stay between -1 and 1.
    """
    if not len(faces):
        return faces
    chance = torch.Generator().manual_seed(seed)
    faces = _moved(faces, how, chance)
    faces = _coloured(faces, how, chance)
    faces = _blurred(faces, how, chance)
    return _covered(faces, how, chance)


def _uniform(count: int, chance: torch.Generator) -> Tensor:
    """Return numbers from -1 to 1."""
    return torch.rand(count, generator=chance) * 2 - 1


def _moved(faces: Tensor, how: Augmentation, chance: torch.Generator) -> Tensor:
    """Mirror, turn, zoom and shift, in one sampling of the picture; what lies outside repeats the border."""
    count = len(faces)
    mirror = torch.where(torch.rand(count, generator=chance) < how.flip, -1.0, 1.0)
    angle = _uniform(count, chance) * math.radians(how.turn)
    zoom = 1 + _uniform(count, chance) * how.zoom
    across, down = (_uniform(count, chance) * 2 * how.shift for _ in range(2))  # the grid is 2 wide
    if not (how.flip or how.turn or how.zoom or how.shift):
        return faces
    cosine, sine = angle.cos() * zoom, angle.sin() * zoom
    rows = [torch.stack([cosine * mirror, -sine, across], 1), torch.stack([sine * mirror, cosine, down], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1).to(faces), list(faces.shape), align_corners=False)
    return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def _coloured(faces: Tensor, how: Augmentation, chance: torch.Generator) -> Tensor:
    """Desaturate some, and change contrast and brightness."""
    count = len(faces)
    grey = (torch.rand(count, generator=chance) < how.grey).to(faces.device)
    contrast = 1 + _uniform(count, chance) * how.contrast
    brightness = _uniform(count, chance) * 2 * how.brightness  # white is 2 away from black
    contrast, brightness = (value.to(faces).view(-1, 1, 1, 1) for value in (contrast, brightness))
    weights = torch.tensor([0.299, 0.587, 0.114]).to(faces).view(1, 3, 1, 1)
    faces = torch.where(grey.view(-1, 1, 1, 1), (faces * weights).sum(1, keepdim=True), faces)
    middle = faces.mean(dim=(1, 2, 3), keepdim=True)
    return ((faces - middle) * contrast + middle + brightness).clamp(-1, 1)


def _blurred(faces: Tensor, how: Augmentation, chance: torch.Generator) -> Tensor:
    """Downscale and upscale some, all of a batch by one factor."""
    chosen = torch.rand(len(faces), generator=chance) < how.blur
    low, high = _BLURRED_SIDES
    side = max(1, round(faces.shape[-1] * (low + (high - low) * float(torch.rand(1, generator=chance)))))
    if not chosen.any():
        return faces
    chosen = chosen.to(faces.device)
    small = functional.interpolate(faces[chosen], size=(side, side), mode="bilinear", antialias=True)
    faces = faces.clone()
    faces[chosen] = functional.interpolate(small, size=faces.shape[-2:], mode="bilinear")
    return faces


def _covered(faces: Tensor, how: Augmentation, chance: torch.Generator) -> Tensor:
    """Cover a grey rectangle in some, an eighth to a half of the sides."""
    count, size = len(faces), faces.shape[-1]
    chosen = torch.rand(count, generator=chance) < how.cutout
    sides = (0.125 + 0.375 * torch.rand(2, count, generator=chance)) * size
    middles = torch.rand(2, count, generator=chance) * size
    places = torch.arange(size) + 0.5
    inside = (places - middles.unsqueeze(-1)).abs() < sides.unsqueeze(-1) / 2
    covered = inside[0, :, :, None] & inside[1, :, None, :] & chosen.view(-1, 1, 1)
    return faces.masked_fill(covered.unsqueeze(1).to(faces.device), 0.0)
