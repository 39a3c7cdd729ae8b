"""The crack network in torch: for training from nothing, and to check what the appliance runs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision.defects.cracks.shape import LAYERS, UNSHUFFLE


def _key(name: str) -> str:
    """Modules have methods of their own, `half` among them."""
    return f"at_{name}"


class CrackNet(nn.Module):
    """(n, 3, h, w) channels -> (n, 1, h / 2, w / 2) logits; sides divisible by 16."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleDict(
            {
                _key(one.name): nn.Conv2d(
                    one.channels_in,
                    one.channels_out,
                    one.size,
                    padding=one.size // 2,
                    bias=one.last,
                )
                for one in LAYERS
            }
        )
        self.norms = nn.ModuleDict(
            {_key(one.name): nn.BatchNorm2d(one.channels_out) for one in LAYERS if not one.last}
        )

    def forward(self, seen: Tensor) -> Tensor:
        def layer(name: str, into: Tensor) -> Tensor:
            return functional.relu(self.norms[_key(name)](self.convs[_key(name)](into)))

        def wide(small: Tensor, beside: Tensor) -> Tensor:
            return torch.cat([functional.interpolate(small, scale_factor=2), beside], dim=1)

        half = layer("half", functional.pixel_unshuffle(seen, 2))
        quarter = layer("quarter_2", layer("quarter_1", functional.max_pool2d(half, 2)))
        eighth = layer("eighth_2", layer("eighth_1", functional.max_pool2d(quarter, 2)))
        deep = layer("deep_2", layer("deep_1", functional.max_pool2d(eighth, 2)))
        up = layer("up_eighth", wide(deep, eighth))
        up = layer("up_quarter", wide(up, quarter))
        up = layer("up_half", wide(up, half))
        answer: Tensor = self.convs[_key("answer")](up)
        return answer


def folded(net: CrackNet) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of each layer with its normalisation folded in: what the appliance runs."""
    found = {}
    for one in LAYERS:
        weight, bias = net.convs[_key(one.name)].weight.detach(), net.convs[_key(one.name)].bias
        if not one.last:
            norm = net.norms[_key(one.name)]
            scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
            weight = weight * scale[:, None, None, None]
            bias = norm.bias.detach() - norm.running_mean * scale
        if one is LAYERS[0]:
            # Torch counts a 2 x 2 block's places within each channel, ONNX channels within places.
            weight = weight.unflatten(1, (-1, UNSHUFFLE**2)).transpose(1, 2).flatten(1, 2)
        found[one.name] = (weight.contiguous(), bias.detach())
    return found
