"""A model and its training loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

from . import _runtime
from ._runtime import Dataset, LearningRate

if TYPE_CHECKING:
    import torch


def _bar(batches: Any, text: str, shown: bool) -> Any:
    """The batches behind a progress bar, if tqdm is there."""
    if shown:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return batches
        return tqdm(batches, desc=text, total=len(batches), leave=False)
    return batches


class Model(_runtime.Network):
    __doc__ = _runtime.Network.__doc__

    def fit(self, data: Dataset, test: Optional[Dataset] = None, *, epochs: int = 15, batch: int = 64,
            lr: Union[float, LearningRate] = 0.05, seed: int = 0, augment: Optional[str] = None,
            mixup: Optional[float] = None, loader_threads: int = 0, progress: bool = True,
            **options: Any) -> "list[dict[str, float]]":
        """Trains as `rootrun train` does: with the same library, weights, data, options and seed the weights become
        equal to the last bit.

        lr: the highest of the policy "one-cycle", or a LearningRate. augment and mixup are those of Dataset.batches,
        options those of begin_training. A progress bar is shown if the package tqdm is there. Training stops between
        two steps of a KeyboardInterrupt; the weights are then those of the last step.

        Returns a dict an epoch: "epoch" (from 1), "loss" (mean over its images), and with `test` "test_loss" and
        "test_accuracy".
        """
        rate = lr if isinstance(lr, LearningRate) else LearningRate("one-cycle", lr=lr)
        self.normalise_by(data)
        self.begin_training(seed=seed, **options)
        history = []
        for epoch in range(epochs):
            batches = data.batches(batch=batch, first_epoch=epoch, seed=seed, shuffle=True, augment=augment,
                                   mixup=mixup, loader_threads=loader_threads)
            bar = _bar(batches, f"epoch {epoch + 1}/{epochs}", progress)
            total, images = 0.0, 0
            for item in bar:
                step = epoch * len(batches) + item.index
                loss = self.train_step(item.images, item.labels, rate.at(step, len(batches), epochs),
                                       samples=item.samples, epoch=epoch)
                total += loss * len(item.labels)
                images += len(item.labels)
                if bar is not batches:
                    bar.set_postfix(loss=f"{total / images:.4f}", refresh=False)
            line = {"epoch": epoch + 1, "loss": total / images}
            if test is not None:
                result = self.evaluate(test, loader_threads=loader_threads)
                line.update(test_loss=result["loss"], test_accuracy=result["accuracy"])
            history.append(line)
        return history

    def torch_state_dict(self) -> "dict[str, torch.Tensor]":
        """The weights as torch.nn.Module.load_state_dict takes them, for the module that the network came from, with
        the groups and classes that it was compiled with: copies, with PyTorch's names and layouts.
        """
        from ._torch import state_dict
        return state_dict(self)
