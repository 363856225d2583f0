"""What a GPU can do: products of two matrices with as many operations as the work has in ResNet50; TF32 for float32."""

from __future__ import annotations

import torch
from serve import serve
from work import Work

SIDE, TILE = 8192, 128

work = Work.from_command_line()
torch.set_float32_matmul_precision("high")
torch.manual_seed(0)
left, right = torch.randn(2, SIDE, SIDE, device="cuda", dtype=getattr(torch, work.precision))
product = torch.empty_like(left)
num_products, rest = divmod(work.num_operations, 2 * SIDE**3)
# The last product, for what is less than a whole one; no whole tiles would take the slow way through the GPU.
last = right[:, : TILE * round(rest / (2 * TILE * SIDE**2))].contiguous()


def run(number: int) -> None:
    for _ in range(number):
        for _ in range(int(num_products)):
            torch.matmul(left, right, out=product)
        torch.matmul(left, last)
    torch.cuda.synchronize()


serve(run)
